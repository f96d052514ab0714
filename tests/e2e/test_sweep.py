"""A sweep over the providers of the demo, one of which cheats: the picture is whole, and only right parts are paid."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.command_line import computility
from tests.e2e.small_job import CHECKOUT, SmallTrade

from computility.cli.demo.stage import Stage

PROGRAM = CHECKOUT / "examples" / "bifurcation" / "bifurcation.wasm"
HEADER, WIDTH, HEIGHT = 1078, 1000, 720


def test_sweep__over_providers_of_whom_one_cheats__comes_to_the_whole_picture(stage: Stage, tmp_path: Path) -> None:
    SmallTrade(stage)  # which has credits
    answer = computility(
        "sweep", str(PROGRAM), "{part}", "{parts}", "--parts", "2", "--join", "picture.bmp", "--yes", "--json",
        folder=tmp_path, stage=stage,
    )  # fmt: skip
    assert answer.code == 0, answer.err
    parts = answer.document["parts"]
    assert {part["outcome"] for part in parts} == {"pass"}
    assert sorted(part["bought"] for part in parts) == [1, 2], "the cheat's part is bought again"
    picture = (tmp_path / "outputs" / "picture.bmp").read_bytes()
    assert len(picture) == HEADER + WIDTH * HEIGHT
    assert picture[:2] == b"BM"


def test_sweep__that_nobody_offers__says_so(stage: Stage, tmp_path: Path) -> None:
    answer = computility("sweep", str(PROGRAM), "--fuel", str(10**15), "--yes", "--json", folder=tmp_path, stage=stage)
    assert answer.error["code"] == "unknown-ask"


def test_sweep__joined_by_what_no_part_wrote__keeps_what_came_and_says_so(stage: Stage, tmp_path: Path) -> None:
    SmallTrade(stage)
    words = ("sweep", str(PROGRAM), "{part}", "{parts}", "--parts", "1", "--yes", "--json")
    path = computility(*words, "--join", str(tmp_path / "picture.bmp"), folder=tmp_path, stage=stage)
    assert path.code == 2
    assert "--join names an output" in path.err
    assert not (tmp_path / "outputs").exists()
    name = computility(*words, "--join", "picture.png", folder=tmp_path, stage=stage)
    assert name.error["code"] == "content-not-found"
    assert "picture.bmp" in str(name.error)
    assert (tmp_path / "outputs" / "part-0" / "picture.bmp").exists()
