"""Example jobs that a node offers to newcomers: for each program and each of its scenes, one.

examples/path_tracer/path_tracer.wasm      the program, named after its folder
examples/path_tracer/scenes/demo.scene     the input of the example `path_tracer/demo`
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from computility.domain.content_id import ContentId


@dataclass(frozen=True)
class ExampleFile:
    """A file of an example that the content store holds. ``path`` is the name under which the program reads it."""

    path: str
    cid: ContentId
    size: int


@dataclass(frozen=True)
class Example:
    """A job to try: a program, and what one run of it reads. A program without scenes is named alone, and reads nothing."""

    name: str
    module: ExampleFile
    inputs: tuple[ExampleFile, ...]


def publish_examples(folder: Path | None, put: Callable[[bytes], ContentId]) -> tuple[Example, ...]:
    """Put every example below ``folder`` into the content store. No folder, no examples."""
    if folder is None or not folder.is_dir():
        return ()
    return tuple(_publish(folder, put))


def _publish(folder: Path, put: Callable[[bytes], ContentId]) -> Iterator[Example]:
    for program in sorted(folder.glob("*/*.wasm")):
        if program.stem != program.parent.name:
            continue
        module = _put(program, put)
        scenes = [path for path in sorted(program.parent.glob("scenes/*")) if path.is_file()]
        if not scenes:
            yield Example(program.stem, module, ())
        for scene in scenes:
            yield Example(f"{program.stem}/{scene.stem}", module, (_put(scene, put),))


def _put(path: Path, put: Callable[[bytes], ContentId]) -> ExampleFile:
    data = path.read_bytes()
    return ExampleFile(path.name, put(data), len(data))
