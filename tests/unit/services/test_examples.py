"""Which jobs a node offers to newcomers."""

from __future__ import annotations

from pathlib import Path

import pytest

from computility.domain.content_id import content_id_of
from computility.domain.errors import InvalidMessage
from computility.services.examples import publish_commands, publish_examples


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())


def offered(folder: Path | None) -> dict[str, list[str]]:
    return {
        example.name: [file.path for file in (example.module, *example.inputs)]
        for example in publish_examples(folder, content_id_of)
    }


def test_a_program_with_two_scenes__is_offered_once_for_each__for_a_run_reads_one(tmp_path: Path) -> None:
    write(tmp_path, "tracer/tracer.wasm", "tracer/scenes/sketch.scene", "tracer/scenes/demo.scene")

    assert offered(tmp_path) == {
        "tracer/demo": ["tracer.wasm", "demo.scene"],
        "tracer/sketch": ["tracer.wasm", "sketch.scene"],
    }


def test_a_program_without_scenes__is_offered_alone(tmp_path: Path) -> None:
    write(tmp_path, "primes/primes.wasm", "primes/part.wasm")

    assert offered(tmp_path) == {"primes": ["primes.wasm"]}


def test_no_folder__offers_nothing(tmp_path: Path) -> None:
    assert offered(None) == offered(tmp_path / "none") == {}


def test_a_command__is_offered_with_its_files_and_its_policy(tmp_path: Path) -> None:
    write(tmp_path, "sum/sum.py", "sum/numbers")
    (tmp_path / "sum/policy.json").write_text('{"method": "hash-equality"}')
    (tmp_path / "sum/job.json").write_text(
        '{"artifacts": ["sum.py"], "arguments": ["python3", "sum.py"], "inputs": ["numbers"], "policy": "policy.json"}'
    )
    (command,) = publish_commands(tmp_path, content_id_of)
    assert (command.name, command.arguments) == ("sum", ("python3", "sum.py"))
    assert [file.path for file in (*command.artifacts, *command.inputs)] == ["sum.py", "numbers"]
    assert command.verification == {"method": "hash-equality"}


@pytest.mark.parametrize(
    ("job", "fault"),
    [
        ('{"arguments": []}', "arguments"),
        ('{"arguments": ["true"], "inputs": ["none"]}', "none, which cannot be read"),
        ('{"arguments": ["true"], "gpu": 1}', "gpu"),
        ("[", "job.json"),
    ],
)
def test_a_command_that_is_none__is_named_with_its_fault(tmp_path: Path, job: str, fault: str) -> None:
    (tmp_path / "sum").mkdir()
    (tmp_path / "sum/job.json").write_text(job)
    with pytest.raises(InvalidMessage, match=fault):
        publish_commands(tmp_path, content_id_of)


def test_the_commands_of_this_repository__are_those_of_its_readme() -> None:
    examples = Path(__file__).parents[3] / "examples"
    assert [command.name for command in publish_commands(examples, content_id_of)] == [
        "languages",
        "product",
        "training",
    ]
