"""What a container left in a folder of the host, without the kernel to bound it: nothing in it harms whoever collects it.

an output folder
├── hands out regular files alone: links are not followed, pipes are not waited for
├── of a huge sparse file, or of more folders and links than files are allowed, is too large
├── that is too deep, or has a closed folder or a name that no manifest holds, is the job's fault
└── is taken away, however deep it is
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from computility.domain.errors import JobFailed, OutputTooLarge
from computility.execution.container import output_folder
from computility.execution.container.output_folder import OutputFolder

NOBODY = 65_534


@pytest.fixture
def out(monkeypatch: pytest.MonkeyPatch) -> Iterator[OutputFolder]:
    """A folder of ten files and a thousand bytes, watched."""
    monkeypatch.setattr(output_folder, "_mounted", lambda *_: False)
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        folder = OutputFolder(Path(name) / "out", 1_000, 10)
        yield folder
        folder.remove()
        assert not folder.path.exists()


def test_folder__hands_out_regular_files_alone(out: OutputFolder, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of the host")
    (out.path / "mine").write_text("mine")
    os.link(out.path / "mine", out.path / "again")
    (out.path / "link").symlink_to(secret)
    (out.path / "folder").symlink_to(tmp_path)
    (out.path / "loop").symlink_to(out.path)
    os.mkfifo(out.path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(out.path / "socket"))
        assert out.read() == {"mine": b"mine", "again": b"mine"}


def test_folder__of_a_huge_sparse_file__is_too_large(out: OutputFolder) -> None:
    with (out.path / "sparse").open("wb") as file:
        file.truncate(2**40)
    for collected in (out.check, out.read):
        with pytest.raises(OutputTooLarge):
            collected()


@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
def test_folder__of_more_entries_than_the_kernel_would_allow__is_too_large(out: OutputFolder, kind: str) -> None:
    for number in range(105):
        path = out.path / str(number)
        match kind:
            case "folder":
                path.mkdir()
            case "link":
                path.symlink_to("nowhere")
            case _:
                os.mkfifo(path)
    with pytest.raises(OutputTooLarge, match="more than 104 files, folders and links"):
        out.check()


def test_folder__deeper_than_a_stack__is_the_jobs_fault_and_taken_away(out: OutputFolder) -> None:
    descriptor = os.open(out.path, os.O_RDONLY)
    for _ in range(3_000):
        os.mkdir("d", dir_fd=descriptor)
        below = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.close(descriptor)
    with pytest.raises(JobFailed, match="folders in folders"):
        out.check()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not look")
def test_folder__that_the_job_closed__is_its_fault(out: OutputFolder) -> None:
    closed = out.path / "closed"
    closed.mkdir(mode=0o700)
    os.seteuid(NOBODY)
    try:
        with pytest.raises(JobFailed, match="closed a folder"):
            out.check()
    finally:
        os.seteuid(0)


def test_folder__with_a_name_that_no_manifest_holds__is_the_jobs_fault(out: OutputFolder) -> None:
    (out.path / os.fsdecode(b"b\xff")).write_bytes(b"x")
    with pytest.raises(JobFailed, match="no result can name"):
        out.read()
