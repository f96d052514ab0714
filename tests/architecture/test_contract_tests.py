"""The tests of the contracts are written down first: each file has its tree of branches beside it, and SPEC.md names what shows each
invariant and stops each hostile party. Neither may name what is not there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests" / "contracts"
SPECIFICATION = ROOT / "contracts" / "SPEC.md"
# Invariants are written in mathematics instead.
INVARIANTS = TESTS / "invariants"
_TEST = r"(?:test|testFuzz|invariant)_\w+|afterInvariant"


def trees_of(file: Path) -> set[Path]:
    return {file.parent / name for name in re.findall(r"`(\w+\.tree)`", file.read_text())} & set(TESTS.rglob("*.tree"))


def test_each_file_of_tests_names_a_tree_beside_it() -> None:
    bare = [
        file.relative_to(TESTS).as_posix()
        for file in TESTS.rglob("*.t.sol")
        if file.parent != INVARIANTS and not trees_of(file)
    ]
    assert not bare
    assert all("README.md beside this file" in file.read_text() for file in INVARIANTS.glob("*.t.sol"))


def test_each_tree_is_of_a_file_of_tests() -> None:
    named = set().union(*(trees_of(file) for file in TESTS.rglob("*.t.sol")))
    assert set(TESTS.rglob("*.tree")) == named


def test_what_a_tree_names_exists() -> None:
    """Trees are sentences; where one names a test, or a file of tests, it is there."""
    for tree in TESTS.rglob("*.tree"):
        text = tree.read_text()
        beside = "".join(file.read_text() for file in tree.parent.glob("*.t.sol"))
        for name in re.findall(_TEST, text):
            assert re.search(rf"function {name}\b", beside), (tree.name, name)
        for name in re.findall(r"\w+\.t\.sol", text):
            assert (tree.parent / name).is_file(), (tree.name, name)


def test_the_specification_names_tests_that_are_there() -> None:
    section = SPECIFICATION.read_text().split("## 21. What shows it")[1]
    count = 0
    for path, names in re.findall(r"`([\w/.]+\.t\.sol)`: ((?:`\w+`(?:, )?)+)", section):
        text = (TESTS / path).read_text()
        for name in re.findall(r"`(\w+)`", names):
            assert re.fullmatch(_TEST, name), name
            assert re.search(rf"function {name}\b", text), (path, name)
            count += 1
    assert count == len(re.findall(rf"`(?:{_TEST})`", section))
    assert count > 60


def test_the_specification_shows_each_of_its_invariants() -> None:
    text, section = SPECIFICATION.read_text().split("## 21. What shows it")
    numbers = {int(number) for number in re.findall(r"^    \((\d+)\)", text, re.MULTILINE)}
    shown: set[int] = set()
    for row in re.findall(r"^\| (.*?) \|", section, re.MULTILINE):
        for first, last in re.findall(r"\((\d+)\)(?: to \((\d+)\))?", row):
            shown.update(range(int(first), int(last or first) + 1))
    assert numbers <= shown, numbers - shown
    assert numbers
