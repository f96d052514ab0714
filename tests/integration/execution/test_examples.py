"""The jobs under ``examples/`` that no trade of the tests runs: each comes to something that a person can judge."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.execution.sandbox_bench import MIB, SandboxBench, needs_bubblewrap
from tests.integration.execution.workbench import REPOSITORY, Bench

from computility.execution.sandbox.process_executor import ProcessExecutor
from computility.execution.sandbox.python_tools import PLACE, PYTHON, gather_python

EXAMPLES = REPOSITORY / "examples"
HEADER, WIDTH, HEIGHT = 1078, 1000, 720


def test_bifurcation__its_parts_together__are_the_whole_picture(bench: Bench) -> None:
    roomy = bench.within(fuel=2_000_000_000, memory_bytes=16 * MIB, output_bytes=4 * MIB)
    program = (EXAMPLES / "bifurcation" / "bifurcation.wasm").read_bytes()
    whole = roomy.run(program, "0", "1").outputs["picture.bmp"]
    assert b"".join(roomy.run(program, str(part), "3").outputs["picture.bmp"] for part in range(3)) == whole
    rows = [whole[HEADER + y * WIDTH : HEADER + (y + 1) * WIDTH] for y in range(HEIGHT)]
    # One point of rest at r = 2.8, two at 3.2; just below 4 it comes almost everywhere, and at 4 the start falls on zero.
    white = 255
    assert [WIDTH - rows[y].count(white) for y in (0, HEIGHT // 3)] == [1, 2]
    assert rows[-2].count(white) < WIDTH // 10


@pytest.fixture
def tools() -> Iterator[ProcessExecutor]:
    """An executor with the Python of the example."""
    # Not below pytest's own folder, into which no other user may look.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        toolset = gather_python(Path(folder) / "python", ["py3langid"])
        yield ProcessExecutor(tools={PLACE: str(Path(folder) / "python")}, toolset=toolset)


@needs_bubblewrap
def test_languages__by_the_model_of_a_package__are_right(sandbox: SandboxBench, tools: ProcessExecutor) -> None:
    folder = EXAMPLES / "languages"
    program, texts = (folder / "classify.py").read_bytes(), (folder / "texts.tsv").read_bytes()
    roomy = SandboxBench(sandbox.content, tools).within(
        memory_bytes=1024 * MIB, scratch_bytes=256 * MIB, cpu_s=60, wall_s=120
    )
    outputs = roomy.run(PYTHON, "classify.py", artifacts={"classify.py": program}, inputs={"texts.tsv": texts}).outputs
    report = outputs["report.txt"].decode()
    assert report.startswith("35 of 36 sentences in 28 languages are right: 97.2 %\n")
    assert len(outputs["languages.tsv"].splitlines()) == len(texts.splitlines())
