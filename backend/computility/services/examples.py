"""Example jobs that a node offers to newcomers: for each program and each of its scenes, one.

examples/path_tracer/path_tracer.wasm      the program, named after its folder
examples/path_tracer/scenes/demo.scene     the input of the example `path_tracer/demo`
examples/languages/job.json                a command, the example `languages`; the files that it names lie beside it
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from computility.domain.content_id import ContentId
from computility.domain.errors import InvalidMessage

_JOB: Final = "job.json"
_OBJECT: Final = TypeAdapter(dict[str, Any])


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


@dataclass(frozen=True)
class CommandExample:
    """A command to try: its own files, its whole argv, what it reads, the seconds of processor and MiB of memory that it may use at most, and how its
    result is checked."""

    name: str
    artifacts: tuple[ExampleFile, ...]
    arguments: tuple[str, ...]
    inputs: tuple[ExampleFile, ...]
    seconds: int
    memory_mib: int
    verification: Mapping[str, Any]


class _Command(BaseModel):
    """What ``job.json`` holds. Files are named by their names in the folder."""

    model_config = ConfigDict(extra="forbid")

    artifacts: list[str] = []
    arguments: Annotated[list[str], Field(min_length=1)]
    inputs: list[str] = []
    seconds: Annotated[int, Field(ge=1)] = 60
    memory_mib: Annotated[int, Field(ge=1)] = 256
    policy: str | None = None


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


def publish_commands(folder: Path | None, put: Callable[[bytes], ContentId]) -> tuple[CommandExample, ...]:
    """As `publish_examples`, of commands.

    Raises:
        InvalidMessage: a ``job.json`` that is none, or that names a file which is not there.
    """
    if folder is None or not folder.is_dir():
        return ()
    return tuple(_publish_command(path, put) for path in sorted(folder.glob(f"*/{_JOB}")))


def _publish_command(path: Path, put: Callable[[bytes], ContentId]) -> CommandExample:
    try:
        job = _Command.model_validate_json(path.read_bytes())
        artifacts, inputs = (
            tuple(_put(path.parent / name, put) for name in names) for names in (job.artifacts, job.inputs)
        )
        verification = _OBJECT.validate_json((path.parent / job.policy).read_bytes()) if job.policy else {}
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidMessage(f"{path}: {'.'.join(map(str, first['loc'])) or 'the document'}: {first['msg']}") from error
    except OSError as error:
        raise InvalidMessage(f"{path} names {error.filename}, which cannot be read: {error.strerror}") from error
    name = path.parent.name
    return CommandExample(name, artifacts, tuple(job.arguments), inputs, job.seconds, job.memory_mib, verification)
