"""Which jobs a node offers to newcomers."""

from __future__ import annotations

from pathlib import Path

from computility.domain.content_id import content_id_of
from computility.services.examples import publish_examples


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
