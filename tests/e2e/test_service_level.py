"""A trade under a service level that is missed: the verifiers take off what the template says, and anybody can check it."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.command_line import computility
from tests.e2e.small_job import EXAMPLE, SmallTrade

from computility.cli.demo.stage import Stage
from computility.domain.identifiers import parse_bytes32
from computility.domain.service_level import Metric, ServiceLevel, ServiceTerm

URN = "urn:computility:wasm:wasmtime:1x:1g:local:aurora:0004:mfuel"
# No machine is that fast, so that half of the pay is lost, but for what the machine is worth.
UNREACHABLE = ServiceLevel(
    "A promise too far",
    "A billion units for every hour.",
    (ServiceTerm(Metric.THROUGHPUT, 10**15, 0, 5_000),),
)


def test_a_missed_service_level__reduces_the_pay_by_its_formula(stage: Stage, tmp_path: Path) -> None:
    trade = SmallTrade(stage)
    (tmp_path / "level.json").write_bytes(UNREACHABLE.to_bytes())
    words = ("ask", "publish", URN, "--price", "0.0005", "--sla", "level.json", "--yes", "--json")
    published = computility(*words, folder=tmp_path, stage=stage, as_who="provider-aurora")
    assert published.code == 0, published.out + published.err
    assert published.document["sla"] == UNREACHABLE.digest

    scene = EXAMPLE / "scenes" / "demo.scene"
    words = ("buy", str(EXAMPLE / "path_tracer.wasm"), "demo.scene", "--input", str(scene), "--fuel", "12000000000")
    bought = computility(*words, "--ask", published.document["ask"], "--yes", folder=tmp_path, stage=stage)
    assert bought.code == 0, bought.out + bought.err
    assert UNREACHABLE.title in bought.out

    newest = stage.node.jobs(buyer=trade.account.address, state="closed")[0]
    assert (newest["terms"]["sla"], newest["outcome"]) == (UNREACHABLE.digest, "pass")
    checked = computility("job", "service", newest["id"], "--json", folder=tmp_path, stage=stage)
    assert checked.code == 0, checked.out + checked.err
    found = checked.document
    assert found["agrees"] is True
    assert found["reduction_bps"] == 5_000
    assert found["attested_units"] == int(newest["units"]) == found["metered_units"] * 5_000 // 10_000
    assert trade.account.job(parse_bytes32(newest["id"])).accepted == found["attested_units"]


def test_a_job_without_a_service_level__says_so(stage: Stage, tmp_path: Path) -> None:
    trade = SmallTrade(stage)
    quoted = trade.quote()
    trade.open(quoted)
    trade.settle(quoted.job)
    answer = computility("job", "service", quoted.job, "--json", folder=tmp_path, stage=stage)
    assert answer.code == 1
    assert "service level" in answer.error["detail"]
