"""The executor on good programs: the same everywhere, and nothing from outside."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.execution.workbench import CLOCK_S, REPOSITORY, Bench, assembled

from computility.domain.errors import ContentMismatch, ContentNotFound, EnvironmentMismatch
from computility.domain.job_specification import InputFile, Limits
from computility.domain.merkle import verify_merkle_proof
from computility.domain.metering import units_of_fuel_up
from computility.execution.wasm.executor import WasmExecutor

INPUTS = {"given/input": b"an input", "given/deeper/other": b"another"}
NAN_PROGRAM = """
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\10\\00\\00\\00\\08\\00\\00\\00")
  (func $nan (param f32 f32) (result f32) (f32.div (local.get 0) (local.get 1)))
  (func (export "_start")
    (f32.store (i32.const 16) (call $nan (f32.const 0) (f32.const 0)))
    (f32.store (i32.const 20) (f32.add (f32.const -nan:0x200001) (f32.const 1)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
"""


def lines(data: bytes) -> list[str]:
    """A stream's lines."""
    return data.decode().splitlines()


def test_run__twice__gives_the_same_bytes_and_fuel(bench: Bench, probe: bytes) -> None:
    first = bench.run(probe, "tree", inputs=INPUTS)
    second = Bench(bench.content, WasmExecutor(timeout_s=60)).run(probe, "tree", inputs=INPUTS)
    assert first == second
    assert first.fuel > 0
    assert first.units == units_of_fuel_up(first.fuel)


def test_run__manifest__describes_the_outputs(bench: Bench, probe: bytes) -> None:
    execution = bench.run(probe, "inputs", inputs=INPUTS)
    manifest = execution.manifest
    assert manifest.spec == bench.specification(probe, "inputs", inputs=INPUTS).digest
    assert manifest.environment == bench.executor.environment
    assert manifest.exit_code == 0
    assert [file.path for file in manifest.files] == ["given/output", "stdout"] == list(execution.outputs)
    for index, file in enumerate(manifest.files):
        data = execution.outputs[file.path]
        assert (file.size, file.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert verify_merkle_proof(file.leaf, index, 2, manifest.proof(index), manifest.root)


def test_run__path_tracer__renders_a_picture(bench: Bench) -> None:
    folder = REPOSITORY / "examples" / "path_tracer"
    scene = b"size 32 20\nsamples 2\ncamera 0 1 5 0 1 0 40 0\nsky 1 1 1 0 0 1\nsphere 0 1 0 1 glass 1 1 1 1.5\n"
    roomy = replace(bench, limits=Limits(10**9, 64 * 1024 * 1024, 1024 * 1024, 2))
    execution = roomy.run((folder / "path_tracer.wasm").read_bytes(), "my.scene", inputs={"my.scene": scene})
    picture = execution.outputs["picture.png"]
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", picture[16:24]) == (32, 20)
    assert picture.endswith(b"IEND\xaeB`\x82")


def test_run__surroundings__are_arguments_and_nothing_else(
    bench: Bench, probe: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPUTILITY_SECRET", "a key")
    execution = bench.run(probe, "surroundings", "two words", "größe", "")
    assert lines(execution.outputs["stdout"]) == [
        "[program.wasm]",
        "[surroundings]",
        "[two words]",
        "[größe]",
        "[]",
        "environment: empty",
        "input: at its end",
        "terminal: no",
    ]


def test_run__clocks__say_what_the_specification_says_and_sleep_takes_no_time(bench: Bench, probe: bytes) -> None:
    execution = bench.run(probe, "clocks", inputs=INPUTS)
    assert lines(execution.outputs["stdout"]) == [f"{CLOCK_S} 0", "sleep: ok", f"{CLOCK_S} 0", str(CLOCK_S)]
    later = replace(bench, clock_s=0).run(probe, "clocks", inputs=INPUTS)
    assert lines(later.outputs["stdout"])[0] == "0 0"


def test_run__randomness__follows_from_the_seed_alone(bench: Bench, probe: bytes) -> None:
    seed = bytes.fromhex(bench.seed[2:])
    stream = b"".join(hashlib.sha256(seed + number.to_bytes(8, "little")).digest() for number in range(2))
    assert lines(bench.run(probe, "random").outputs["stdout"]) == [stream[:48].hex()]
    other = replace(bench, seed="0x" + "00" * 32).run(probe, "random")
    assert lines(other.outputs["stdout"]) != [stream[:48].hex()]


def test_run__nan__has_the_canonical_bits(bench: Bench) -> None:
    assert bench.run_text(NAN_PROGRAM).outputs["stdout"] == bytes.fromhex("0000c07f0000c07f")


def test_run__seek_and_write_past_the_end__leaves_zeros(bench: Bench, probe: bytes) -> None:
    execution = bench.run(probe, "seek")
    assert lines(execution.outputs["stdout"]) == ["9 9"]
    assert execution.outputs["made"] == b"0123x56789\0\0!"


def test_run__files_and_folders__behave_as_posix_says(bench: Bench, probe: bytes) -> None:
    execution = bench.run(probe, "tree")
    assert lines(execution.outputs["stdout"]) == [
        "mkdir: ok",
        "mkdir again: File exists",
        "folder/a: ok",
        "folder/b: ok",
        "rmdir full: Directory not empty",
        "rename: ok",
        "unlink: ok",
        "unlink again: No such file or directory",
        "rename folder: ok",
        "into itself: Invalid argument",
        "./",
        "../",
        "c",
    ]
    assert execution.outputs["moved/c"] == b"a"
    assert set(execution.outputs) == {"moved/c", "stdout"}


def test_run__inputs__are_read_only(bench: Bench, probe: bytes) -> None:
    execution = bench.run(probe, "inputs", inputs=INPUTS)
    assert lines(execution.outputs["stdout"]) == [
        "given/input: an input",
        "write to input: Read-only file system",
        "truncate input: Read-only file system",
        "unlink input: Read-only file system",
        "rename input: Read-only file system",
        "remove folder: Read-only file system",
        "given/output: ok",
    ]
    assert execution.outputs["given/output"] == b"beside the input"


def test_run__list__shows_the_inputs_by_name(bench: Bench, probe: bytes) -> None:
    assert lines(bench.run(probe, "list", "/", inputs=INPUTS).outputs["stdout"]) == ["./", "../", "given/"]
    many = {f"n/{number:03}": b"" for number in range(300)}
    listed = lines(bench.run(probe, "list", "n", inputs=many).outputs["stdout"])
    assert listed == ["./", "../", *(f"{number:03}" for number in range(300))]


def test_run__paths_that_leave_the_root__find_nothing(bench: Bench, probe: bytes) -> None:
    said = lines(bench.run(probe, "escape", inputs=INPUTS).outputs["stdout"])
    assert len(said) == 5
    assert not [line for line in said if line.endswith(": ok")]


def test_run__names_that_no_manifest_can_hold__are_refused_to_the_program(bench: Bench, probe: bytes) -> None:
    execution = bench.run(probe, "names")
    assert list(execution.outputs) == ["stdout"]
    assert not [line for line in lines(execution.outputs["stdout"]) if line.endswith(": ok")]


def test_run__too_many_open_files__is_an_error_of_the_call(bench: Bench, probe: bytes) -> None:
    said = lines(bench.run(probe, "open", inputs=INPUTS).outputs["stdout"])
    assert said == ["252 open, then No file descriptors available"]


def test_run__files_deleted_and_closed__do_not_count(bench: Bench, probe: bytes) -> None:
    assert bench.within(output_bytes=65_536, output_files=1).run(probe, "delete").outputs == {}


def test_run__other_limits__use_the_same_fuel(bench: Bench, probe: bytes) -> None:
    roomy = bench.within(fuel=2**53 - 1, memory_bytes=2**32, output_bytes=2**40, output_files=2**16)
    assert roomy.run(probe, "tree").fuel == bench.run(probe, "tree").fuel


def test_run__another_environment_class__is_refused(bench: Bench, probe: bytes) -> None:
    other = replace(bench.specification(probe), environment="wasi-p1/wasmtime-49.0.0/0123456789abcdef")
    with pytest.raises(EnvironmentMismatch, match=r"49\.0\.0"):
        bench.executor.run(other, bench.content)


def test_run__an_input_that_nobody_uploaded__is_not_found(bench: Bench, probe: bytes) -> None:
    specification = bench.specification(probe)
    missing = InputFile("missing", bench.specification(b"other").cid, 1)
    with pytest.raises(ContentNotFound):
        bench.executor.run(replace(specification, inputs=(missing,)), bench.content)


def test_run__an_input_of_another_size__is_refused(bench: Bench, probe: bytes) -> None:
    specification = bench.specification(probe, inputs={"a": b"four"})
    wrong = replace(specification.inputs[0], size=5)
    with pytest.raises(ContentMismatch, match="4 bytes"):
        bench.executor.run(replace(specification, inputs=(wrong,)), bench.content)


def test_run__content_that_does_not_match_its_hash__is_refused(bench: Bench, probe: bytes, tmp_path: Path) -> None:
    specification = bench.specification(probe, inputs={"a": b"four"})
    stored = next((tmp_path / "content").rglob(specification.inputs[0].cid))
    stored.write_bytes(b"five")
    with pytest.raises(ContentMismatch):
        bench.executor.run(specification, bench.content)


def test_environment__names_runtime_and_version() -> None:
    assert WasmExecutor().environment.startswith("wasi-p1/wasmtime-50.0.1/")


def test_run__no_memory_and_no_imports__is_a_program_as_well(bench: Bench) -> None:
    assert bench.run(assembled('(module (func (export "_start")))')).outputs == {}
