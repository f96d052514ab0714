"""The in-memory file tree, on the branches that a C library does not reach."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from computility.domain.errors import HostMemoryExhausted, OutputTooLarge
from computility.domain.file_path import paths_fault
from computility.execution.wasm.engine_settings import MAX_FOLDERS
from computility.execution.wasm.errno import Errno, WasiError
from computility.execution.wasm.file_tree import FileTree


@pytest.fixture
def tree() -> FileTree:
    """Two inputs; ten bytes and three files to write."""
    return FileTree({"in/a": b"a", "stdout": b"an input"}, max_bytes=10, max_files=3, host_max_bytes=100)


def refused(errno: Errno, call: Callable[[], object]) -> None:
    """The call answers the error number."""
    with pytest.raises(WasiError) as raised:
        call()
    assert raised.value.errno is errno


def test_create__in_place_of_something_or_nowhere__is_refused(tree: FileTree) -> None:
    refused(Errno.EXIST, lambda: tree.create_file("in/a"))
    refused(Errno.EXIST, lambda: tree.create_folder("in"))
    refused(Errno.NOENT, lambda: tree.create_file("none/a"))
    refused(Errno.NOTDIR, lambda: tree.create_file("in/a/b"))
    refused(Errno.EXIST, lambda: tree.create_folder(""))


def test_create__by_the_names_of_the_streams__is_refused(tree: FileTree) -> None:
    refused(Errno.ACCES, lambda: tree.create_file("stderr"))
    refused(Errno.ACCES, lambda: tree.create_folder("stderr"))
    source = tree.create_file("mine")
    refused(Errno.ACCES, lambda: tree.rename("mine", "stderr"))
    assert tree.get("mine") is source


def test_outputs__beside_an_input_called_like_a_stream__fit_in_one_manifest(tree: FileTree) -> None:
    tree.write(tree.stream("stdout"), 0, b"said")
    tree.write(tree.create_file("in/stdout"), 0, b"made")
    assert tree.outputs() == {"in/stdout": b"made", "stdout": b"said"}
    assert paths_fault(tree.outputs()) is None


def test_rename__onto_a_file__replaces_it_and_frees_its_bytes(tree: FileTree) -> None:
    tree.write(tree.create_file("old"), 0, b"123456")
    tree.write(tree.create_file("new"), 0, b"7890")
    tree.rename("old", "new")
    assert tree.outputs() == {"new": b"123456"}
    tree.write(tree.create_file("more"), 0, b"1234")


def test_rename__between_files_and_folders__is_refused(tree: FileTree) -> None:
    tree.create_folder("folder")
    tree.create_file("file")
    refused(Errno.ISDIR, lambda: tree.rename("file", "folder"))
    refused(Errno.NOTDIR, lambda: tree.rename("folder", "file"))
    refused(Errno.ROFS, lambda: tree.rename("file", "in/a"))
    refused(Errno.ROFS, lambda: tree.rename("folder", "in"))
    refused(Errno.ROFS, lambda: tree.rename("", "root"))


def test_rename__a_folder__takes_what_is_in_it_along(tree: FileTree) -> None:
    tree.create_folder("a")
    tree.create_folder("a/b")
    tree.write(tree.create_file("a/b/file"), 0, b"x")
    tree.create_file("ab")
    tree.create_folder("c")
    tree.rename("a", "c")
    assert tree.outputs() == {"ab": b"", "c/b/file": b"x"}


def test_rename__to_where_a_path_gets_too_long__changes_nothing(tree: FileTree) -> None:
    tree.create_folder("a")
    tree.create_file("a/" + "n" * 200)
    tree.create_folder("b" * 100)
    refused(Errno.INVAL, lambda: tree.rename("a", "b" * 100 + "/a"))
    assert list(tree.outputs()) == ["a/" + "n" * 200]


def test_write__above_the_limit__ends_the_job_and_not_before(tree: FileTree) -> None:
    file = tree.create_file("file")
    tree.write(file, 0, b"0123456789")
    tree.write(file, 2, b"xx")
    with pytest.raises(OutputTooLarge):
        tree.write(file, 10, b"!")
    tree.resize(file, 4)
    tree.write(tree.stream("stderr"), 0, b"123456")
    with pytest.raises(OutputTooLarge):
        tree.resize(file, 5)


def test_write__above_what_the_machine_holds__is_the_machines_fault() -> None:
    tree = FileTree({}, max_bytes=2**40, max_files=1, host_max_bytes=100)
    file = tree.create_file("file")
    with pytest.raises(HostMemoryExhausted):
        tree.write(file, 2**39, b"x")


def test_create__one_file_or_folder_too_many__ends_the_job(tree: FileTree) -> None:
    for name in "abc":
        tree.create_file(name)
    with pytest.raises(OutputTooLarge):
        tree.create_file("d")
    tree.remove_file("a")
    tree.create_file("d")
    for number in range(MAX_FOLDERS):
        tree.create_folder(str(number))
    with pytest.raises(OutputTooLarge):
        tree.create_folder("last")


def test_remove__what_is_not_of_that_kind_or_not_ours__is_refused(tree: FileTree) -> None:
    refused(Errno.ISDIR, lambda: tree.remove_file("in"))
    refused(Errno.NOTDIR, lambda: tree.remove_folder("in/a"))
    refused(Errno.ROFS, lambda: tree.remove_file("in/a"))
    refused(Errno.ROFS, lambda: tree.remove_folder("in"))
    refused(Errno.NOENT, lambda: tree.remove_folder("none"))


def test_remove__a_file_that_is_open__keeps_counting_until_it_closes(tree: FileTree) -> None:
    file = tree.create_file("file")
    tree.opened(file)
    tree.write(file, 0, b"0123456789")
    tree.remove_file("file")
    other = tree.create_file("other")
    with pytest.raises(OutputTooLarge):
        tree.write(other, 0, b"x")
    tree.closed(file)
    tree.write(other, 0, b"x")
