"""Rules name the abusers of a labelled history, and hardly ever anybody else; each says why, with jobs to look at."""

from __future__ import annotations

import pytest
from tests.labelled_history import LabelledHistory, labelled_history

from computility.domain.identifiers import Address
from computility.services.surveillance.facts import Alert, Facts, FundingFact
from computility.services.surveillance.watch import RULES, skipped_rules, watch


@pytest.fixture(scope="module")
def history() -> LabelledHistory:
    return labelled_history(7)


@pytest.fixture(scope="module")
def alerts(history: LabelledHistory) -> list[Alert]:
    return watch(history.facts)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rule__names_abusers_and_hardly_anybody_honest(
    history: LabelledHistory, alerts: list[Alert], rule: str
) -> None:
    named = {account for alert in alerts if alert.rule == rule for account in alert.accounts}
    labelled = history.labels[rule]
    assert len(named & labelled) >= len(labelled) / 2
    assert len(named & history.honest) <= len(history.honest) / 50


def test_the_forest__names_the_account_that_no_rule_looks_for(history: LabelledHistory, alerts: list[Alert]) -> None:
    named = {account for alert in alerts if alert.rule == "unusual-account" for account in alert.accounts}
    assert history.labels["unusual-account"] <= named


def test_every_alert__has_evidence_of_the_history(history: LabelledHistory, alerts: list[Alert]) -> None:
    known = {trade.job for trade in history.facts.trades}
    for alert in alerts:
        assert alert.what
        assert set(alert.jobs) <= known
        assert alert.jobs or alert.facts["asks"]


def test_ties_of_money__name_the_hands__whose_deposits_are_there(history: LabelledHistory, alerts: list[Alert]) -> None:
    tied = {frozenset((fact.account, fact.source)) for fact in history.facts.funding}
    dealing = [alert for alert in alerts if alert.rule == "self-dealing"]
    assert dealing
    for alert in dealing:
        one, other = alert.accounts
        assert alert.facts["funded_by"]
        for hand in alert.facts["funded_by"]:
            assert all(party == hand or frozenset((party, hand)) in tied for party in (one, other))
    vouchers = [alert for alert in alerts if alert.rule == "voucher-abuse" and "fund each other" in alert.what]
    assert vouchers
    assert all(alert.facts["funded_by"] for alert in vouchers)


def test_an_exchange_that_funds_everybody__ties_nobody(history: LabelledHistory, alerts: list[Alert]) -> None:
    exchange = Address("0x" + "ee" * 20)
    deposits = [FundingFact(account, exchange, 1) for account in sorted(history.honest)]
    facts = history.facts
    found = watch(Facts(facts.trades, [*facts.funding, *deposits], facts.asks), forest=False)
    assert found == [alert for alert in alerts if alert.rule in RULES]


def test_one_hand_that_funds_both_sides__ties_them(history: LabelledHistory) -> None:
    hand = Address("0x" + "aa" * 20)
    buyer, provider = max(history.facts.by_pair, key=lambda pair: (len(history.facts.by_pair[pair]), pair))
    facts = Facts(history.facts.trades, [FundingFact(buyer, hand, 1), FundingFact(provider, hand, 1)], ())
    assert [alert.facts["funded_by"] for alert in RULES["self-dealing"](facts)] == [[hand]]


def test_honest_trades_alone__raise_no_rule(history: LabelledHistory) -> None:
    honest = [trade for trade in history.facts.trades if {trade.buyer, trade.provider} <= history.honest]
    found = watch(Facts(honest, (), ()), forest=False)
    assert len({account for alert in found for account in alert.accounts}) <= len(history.honest) / 50


def test_no_trades__raise_nothing() -> None:
    assert watch(Facts([], (), ())) == []


def test_rules_that_cannot_look__are_named() -> None:
    assert set(skipped_rules(Facts([]))) == {"voucher-abuse", "spoofed-ask"}


def test_where_somebody_pays_for_others_and_asks_are_known__every_rule_looks(history: LabelledHistory) -> None:
    assert skipped_rules(history.facts) == {}


def test_the_same_history__raises_the_same_alerts(history: LabelledHistory, alerts: list[Alert]) -> None:
    assert watch(labelled_history(7).facts) == alerts
