"""The node's own facts, and its manners."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from fastapi.testclient import TestClient

from computility.api.app import create_app


def test_config__has_what_a_page_needs(served: Any) -> None:
    config = served.client.get("/v1/config").json()

    contracts = served.deployments.newest.contracts
    assert config["chain_id"] == "eip155:31337"
    assert config["eip712_domain"] == {
        "name": "Computility",
        "version": "1",
        "chainId": 31337,
        "verifyingContract": contracts["JobEscrow"],
    }
    assert config["reserve"]["address"] == contracts["DevReserve"]
    assert (config["reserve"]["decimals"], config["credit"]["decimals"]) == (6, 18)
    assert config["committee"]["address"] == contracts["VerifierCommittee"]
    assert config["committee"]["threshold"] == 2
    assert config["fee_bps"] == [100, 80, 60, 40]
    assert config["bond_bps"] == [2_000, 1_500, 1_000, 500]
    assert config["min_dispute_window"] == 1
    assert config["rpc_path"] == "/rpc"
    assert [account["label"] for account in config["development_wallet"]["addresses"]] == ["buyer", "provider"]


def test_health__names_the_head(served: Any) -> None:
    health = served.client.get("/v1/health").json()

    assert health["chain_id"] == "eip155:31337"
    assert health["head"]["number"] >= served.deployments.newest.block
    assert health["contracts"] == dict(served.deployments.newest.contracts)
    assert health["development"] is True


def test_a_chain_that_is_down__degrades_the_node_and_reads_go_on(served: Any) -> None:
    settings = served.settings.model_copy(update={"rpc_url": "http://127.0.0.1:1"})
    with TestClient(create_app(settings), base_url="http://127.0.0.1:8000", raise_server_exceptions=False) as client:
        health = client.get("/v1/health")
        assert health.status_code == 200
        assert health.json()["status"] == "degraded"
        assert "does not answer" in health.json()["detail"]
        assert client.get("/v1/jobs").json() == {"items": [], "next": None}
        account = client.get("/v1/accounts/0x70997970C51812dc3A010C7d01b50e0d17dc79C8").json()
        assert (account["free"], account["credit_balance"]) == ("0", None)
        config = client.get("/v1/config")
        assert (config.status_code, config.json()["code"]) == (503, "chain-unavailable")
        rpc = client.post("/rpc", json={"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []})
        # The test client is not on loopback by its peer's name.
        assert rpc.status_code == 403


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"/v1/asks/0x{'00' * 32}", "unknown-ask"),
        (f"/v1/quote-requests/0x{'00' * 32}", "unknown-quote-request"),
        (f"/v1/quotes/0x{'00' * 32}", "unknown-quote"),
        (f"/v1/jobs/0x{'00' * 32}", "unknown-job"),
        (f"/v1/jobs/0x{'00' * 32}/events", "unknown-job"),
        (f"/v1/jobs/0x{'00' * 32}/stream", "unknown-job"),
        (f"/v1/jobs/0x{'00' * 32}/outputs", "unknown-job"),
        (f"/v1/jobs/0x{'00' * 32}/submissions", "unknown-job"),
        (f"/v1/jobs/0x{'00' * 32}/attestations", "unknown-job"),
        (f"/v1/providers/0x{'00' * 20}", "unknown-provider"),
        ("/v1/nothing", "not-found"),
    ],
)
def test_what_is_not_there__is_a_problem_with_a_name(served: Any, path: str, code: str) -> None:
    answer = served.client.get(path)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code


def test_an_account_without_history__has_zeros(served: Any) -> None:
    address = "0x000000000000000000000000000000000000dEaD"

    scores = served.client.get(f"/v1/scores/{address}").json()

    assert served.client.get(f"/v1/accounts/{address}").json()["credit_balance"] == "0"
    assert (scores["buyer"]["score_bps"], scores["tier"], scores["buyer"]["updated_at"]) == (5_000, 0, None)


def test_another_host_name__is_refused(served: Any) -> None:
    answer = served.client.get("/v1/health", headers={"Host": "evil.example"})

    assert (answer.status_code, answer.json()["code"]) == (421, "unknown-host")


def test_every_answer__tells_the_browser_how_little_it_may_do(served: Any) -> None:
    for path in ("/v1/health", "/v1/nothing", "/", "/market"):
        headers = served.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "access-control-allow-origin" not in headers


def test_a_wrong_method__says_which_are_right(served: Any) -> None:
    answer = served.client.delete("/v1/asks")

    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
    assert answer.headers["allow"]


@pytest.mark.parametrize("cursor", ["x", "e30", "%00"])
@pytest.mark.parametrize("path", ["asks", "quote-requests", "jobs", "events", "providers"])
def test_a_cursor_of_its_own_making__is_refused(served: Any, path: str, cursor: str) -> None:
    answer = served.client.get(f"/v1/{path}?cursor={cursor}")

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_deployments__are_as_recorded(served: Any) -> None:
    assert dataclasses.asdict(served.node.deployments) == dataclasses.asdict(served.deployments)


def test_alerts__are_none_where_nobody_traded_and_say_what_was_not_looked_for(served: Any) -> None:
    answer = served.client.get("/v1/audit/alerts").json()

    assert answer["alerts"] == []
    assert "voucher-abuse" in answer["skipped"]
