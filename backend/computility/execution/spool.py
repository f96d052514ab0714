"""A folder that an agent shares with the machines of its cluster: each attempt has one of its own, with what goes in and what comes out.

Written by the agent: ``specification.json``, ``settings.json``, and ``files/`` with artifacts and inputs. By the machine: ``samples.jsonl`` as
they come, ``out/`` with the outputs by number, and last, under its name at once, ``result.json``. Whoever finds that finds a whole result, so an
agent that was killed collects what ended without it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from computility.domain.errors import ComputilityError, ExecutionError, ExecutorCrashed
from computility.domain.specification import Specification, parse_specification
from computility.execution.executor import AttemptId, Execution, MeterSample, Prepared, execution_of

_RESULT: Final = "result.json"
_FINISHED_S: Final = 7 * 86_400


class SpooledAttempt:
    """One attempt's folder; nobody but the provider's own user may look into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, prepared: Prepared, settings: Mapping[str, Any]) -> None:
        """Put in what a machine needs. Twice is once."""
        files = self.folder / "files"
        files.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder.chmod(0o700)
        for path, data in prepared.files.items():
            target = files / path
            target.parent.mkdir(parents=True, exist_ok=True)
            _write_whole(target, data)
        _write_whole(self.folder / "settings.json", json.dumps(settings).encode())
        _write_whole(self.folder / "specification.json", prepared.specification.to_bytes())

    def read(self) -> tuple[Prepared, dict[str, Any]]:
        """What ``write`` put in, on the machine that runs it. Raises OSError where it is not there, InvalidMessage where it is damaged."""
        specification = parse_specification((self.folder / "specification.json").read_bytes())
        files = {file.path: (self.folder / "files" / file.path).read_bytes() for file in specification.files}
        return Prepared(specification, files), json.loads((self.folder / "settings.json").read_bytes())

    def write_sample(self, sample: MeterSample) -> None:
        """Add a meter sample."""
        with (self.folder / "samples.jsonl").open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(asdict(sample)) + "\n")

    def samples(self, told: int) -> list[MeterSample]:
        """Samples beyond the first ``told``."""
        try:
            lines = (self.folder / "samples.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        except FileNotFoundError:
            return []
        # The last line may be half of one.
        return [_sample_of(json.loads(line)) for line in lines[told:] if line.endswith("\n")]

    def write_execution(self, execution: Execution) -> None:
        """Hand out what came of it."""
        out = self.folder / "out"
        out.mkdir(exist_ok=True, mode=0o700)
        for number, data in enumerate(execution.outputs.values()):
            (out / str(number)).write_bytes(data)
        self._end({"outputs": list(execution.outputs), "fuel": execution.manifest.fuel, "units": execution.units})

    def write_error(self, error: ComputilityError) -> None:
        """Say how it failed."""
        self._end({"error": error.code, "message": str(error)})

    @property
    def ended(self) -> bool:
        """Whether there is a result."""
        return (self.folder / _RESULT).is_file()

    def execution(self, specification: Specification, environment: str) -> Execution:
        """What came of it; the manifest is made anew from the bytes.

        Raises:
            ExecutionError: as the machine said.
            ExecutorCrashed: what is there cannot be read.
        """
        try:
            result = json.loads((self.folder / _RESULT).read_bytes())
            if "error" in result:
                raise _error_of(str(result["error"]), str(result["message"]))
            outputs = {
                path: (self.folder / "out" / str(number)).read_bytes() for number, path in enumerate(result["outputs"])
            }
            fuel, units = result["fuel"], int(result["units"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ExecutorCrashed(f"the result in {self.folder} cannot be read: {error}") from error
        return execution_of(
            specification.digest, environment, fuel, outputs, units=units, samples=tuple(self.samples(0))
        )

    def remove(self) -> None:
        """Take it away."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self, result: Mapping[str, Any]) -> None:
        _write_whole(self.folder / _RESULT, json.dumps(result).encode())


class Spool:
    """The shared folder.

    Raises:
        ExecutorCrashed: it cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.expanduser().absolute()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ExecutorCrashed(f"the shared folder {self._folder} cannot be made: {error.strerror}") from error
        self.sweep()

    def of(self, attempt: AttemptId) -> SpooledAttempt:
        """The folder of an attempt."""
        return SpooledAttempt(self._folder / str(attempt))

    def sweep(self, older_than_s: float = _FINISHED_S) -> None:
        """Drop what agents before this one left, once nobody can want it."""
        for entry in self._entries():
            with contextlib.suppress(OSError):
                if entry.stat().st_mtime < time.time() - older_than_s:
                    SpooledAttempt(Path(entry.path)).remove()

    def _entries(self) -> Iterator[os.DirEntry[str]]:
        with os.scandir(self._folder) as entries:
            yield from entries


def _sample_of(document: dict[str, Any]) -> MeterSample:
    processes, cards = (tuple(document.pop(name, ())) for name in ("processes", "cards"))
    return MeterSample(**document, processes=processes, cards=cards)


def _write_whole(target: Path, data: bytes) -> None:
    partial = target.with_name(target.name + ".partial")
    partial.write_bytes(data)
    partial.replace(target)


def _error_of(code: str, message: str) -> ExecutionError:
    return next((kind for kind in _kinds(ExecutionError) if kind.code == code), ExecutorCrashed)(message)


def _kinds(kind: type[ExecutionError]) -> Iterator[type[ExecutionError]]:
    for below in kind.__subclasses__():
        yield below
        yield from _kinds(below)
