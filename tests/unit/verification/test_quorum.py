"""The rule of re-execution, and markets that follow it."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from computility.domain.identifiers import bytes32
from computility.verification.iexec_rule import executions_and_wrong
from computility.verification.quorum import Duty, QuorumRule
from computility.verification.quorum_simulation import Market, Outcome, Strategy

RULE = QuorumRule()


def market(strategy: Strategy, jobs: int = 8_000, cheaters: int = 8) -> Outcome:
    return Market(RULE, strategy, 40, cheaters, 7).run(jobs)


def test_a_new_provider_is_replicated__and_a_proven_one_is_not() -> None:
    assert not RULE.is_credible(0)
    assert RULE.is_credible(10)
    assert RULE.agreed([[0]]) is None
    assert RULE.agreed([[0, 0]]) is None
    assert RULE.agreed([[0, 12]]) == 0


def test_a_new_provider__needs_one_member_that_proved_itself__or_several_that_did_not() -> None:
    assert not RULE.enough(0, [])
    assert RULE.enough(0, [10])
    assert not RULE.enough(0, [0])
    assert not RULE.enough(0, [0, 0])
    assert RULE.enough(0, [0, 0, 0])
    assert RULE.enough(9, [0])


def test_an_exclusion__ends() -> None:
    assert RULE.is_excluded(100, 100)
    assert not RULE.is_excluded(100, 100 + RULE.exclusion_s)


def test_two_results_of_equally_proven_workers__need_a_clear_lead() -> None:
    assert RULE.agreed([[12], [12]]) is None
    assert RULE.agreed([[12], [12, 12]]) is None
    assert RULE.agreed([[12], [12] * 7]) == 1


def test_drawn__comes_at_the_rates_of_the_rule__and_from_nothing_but_seed_and_job() -> None:
    jobs = [bytes32(number.to_bytes(32, "big")) for number in range(20_000)]
    duties = [RULE.drawn(b"seed", job) for job in jobs]
    assert duties.count(Duty.AUDIT) / len(jobs) == pytest.approx(0.22, abs=0.02)
    assert duties.count(Duty.PROBE) / len(jobs) == pytest.approx(0.01, abs=0.005)
    assert duties == [RULE.drawn(b"seed", job) for job in jobs]
    assert duties != [RULE.drawn(b"another", job) for job in jobs]


@given(st.integers(0, 10**26), st.integers(1, 2_200))
def test_least_collateral__makes_a_cheat_lose_on_average__and_one_atom_less_would_not(price: int, rate: int) -> None:
    collateral = QuorumRule(deterrence_bps=rate).least_collateral(price)
    audited = Fraction(rate, 10_000)
    assert (1 - audited) * price - audited * collateral < 0
    assert (1 - audited) * price - audited * (collateral - 1) >= 0


def test_least_collateral__at_five_percent__is_above_nineteen_prices() -> None:
    assert RULE.least_collateral(100) == 1_901


@pytest.mark.parametrize("numbers", [{"wanted": 1.0}, {"deterrence_bps": 3_000}, {"audit_bps": 9_950}])
def test_numbers_that_protect_nobody__are_refused(numbers: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"lies between|are drawn|at most"):
        QuorumRule(**numbers)  # type: ignore[arg-type]  # numbers of both kinds


def test_market__of_honest_workers__harms_nobody_and_costs_a_quarter_more() -> None:
    outcome = market(Strategy.HONEST, jobs=20_000)
    assert (outcome.wrong_accepted, outcome.honest_harmed, outcome.caught) == (0, 0, 0)
    assert outcome.executions_per_job < 1.26


@pytest.mark.parametrize("strategy", [strategy for strategy in Strategy if strategy is not Strategy.HONEST])
def test_market__every_cheater_loses_and_is_caught__and_no_honest_worker_is_harmed(strategy: Strategy) -> None:
    outcome = market(strategy)
    assert outcome.cheater_profit < 0
    assert outcome.caught >= 8
    assert outcome.honest_harmed == 0


def test_market__of_sleepers__signs_a_few_wrong_results_and_pays_fewer() -> None:
    outcome = market(Strategy.SLEEPER)
    # (1 − a)/a = 3.5 for each of eight, and twice that for chance.
    assert 0 < outcome.wrong_accepted < 2 * 8 * 3.55 / 8_000
    assert outcome.wrong_vested < outcome.wrong_accepted / 2


def test_iexecs_rule__on_the_same_market__never_looks_at_a_sleeper_again() -> None:
    executions, wrong = executions_and_wrong(trust=5, workers=40, sleepers=8, jobs=8_000, seed=7)
    assert executions < 1.5
    assert wrong > 100 * market(Strategy.SLEEPER).wrong_vested
    assert wrong > 0.1
