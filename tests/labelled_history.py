"""A seeded market of honest traders with their quirks, and of abusers whose accounts are labelled by the rule that should name them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from computility.domain.identifiers import ZERO_BYTES32, Address, Bytes32, keccak_bytes32
from computility.services.surveillance.facts import AskFact, Facts, FundingFact, TradeFact

CREDIT = 10**18
DAY_S = 86_400
START = 1_800_000_000
DAYS = 90


@dataclass
class LabelledHistory:
    """``labels``: accounts by rule. ``honest``: everybody else who trades."""

    facts: Facts
    labels: dict[str, set[Address]]
    honest: set[Address]


@dataclass
class _Market:
    random: random.Random
    trades: list[TradeFact] = field(default_factory=list)
    funding: list[FundingFact] = field(default_factory=list)
    asks: list[AskFact] = field(default_factory=list)
    labels: dict[str, set[Address]] = field(default_factory=dict)
    accounts: int = 0

    def account(self) -> Address:
        self.accounts += 1
        return Address("0x" + keccak_bytes32(f"account {self.accounts}".encode())[2:42])

    def several(self, count: int) -> list[Address]:
        return [self.account() for _ in range(count)]

    def label(self, rule: str, *accounts: Address) -> None:
        self.labels.setdefault(rule, set()).update(accounts)

    def trade(
        self,
        buyer: Address,
        provider: Address,
        verifier: Address,
        *,
        value: float | None = None,
        price: float = 1.0,
        day: float | None = None,
        passed: bool | None = True,
        overruled: bool = False,
        payer: Address | None = None,
    ) -> None:
        worth = self.random.lognormvariate(1.5, 0.8) if value is None else value
        when = START + int((self.random.uniform(0, DAYS) if day is None else day) * DAY_S)
        unit_price = int(price * self.random.lognormvariate(0, 0.15) * CREDIT / 100)
        job = keccak_bytes32(f"job {len(self.trades)}".encode())
        self.trades.append(
            TradeFact(
                job,
                buyer,
                payer or buyer,
                provider,
                verifier,
                Bytes32(keccak_bytes32(provider.encode())),
                ZERO_BYTES32,
                unit_price,
                int(worth * CREDIT) if passed is not False else 0,
                passed,
                overruled,
                when,
                when + 600,
            )
        )


def labelled_history(seed: int) -> LabelledHistory:
    """About 4,000 trades of 150 honest accounts over 90 days, and a few abusers of each kind."""
    market = _Market(random.Random(seed))
    verifiers = market.several(5)
    buyers, providers = market.several(100), market.several(45)
    _honest(market, buyers, providers, verifiers)
    for _ in range(3):
        _wash(market, verifiers, providers)
        _self_deal(market, verifiers, providers)
        _collude(market, buyers, providers)
        _farm(market, verifiers, buyers)
        _overcharge(market, verifiers, buyers)
        _spoof(market, verifiers, buyers)
    _strange(market, verifiers, buyers)
    _sponsor(market, verifiers, providers[:12])
    for _ in range(3):
        _return_vouchers(market, verifiers, buyers)
        _overcharge_vouchers(market, verifiers, buyers)
    abusers = set().union(*market.labels.values())
    named = {account for trade in market.trades for account in (trade.buyer, trade.provider, trade.verifier)}
    return LabelledHistory(Facts(market.trades, market.funding, market.asks), market.labels, named - abusers)


def _honest(market: _Market, buyers: list[Address], providers: list[Address], verifiers: list[Address]) -> None:
    price = {provider: market.random.lognormvariate(0, 0.2) for provider in providers}
    quality = {provider: market.random.betavariate(40, 2) for provider in providers}
    for buyer in buyers:
        liked = market.random.sample(providers, market.random.randint(1, 8))  # some are loyal to one
        market.funding.append(FundingFact(buyer, buyer, 100 * CREDIT))
        for _ in range(market.random.randint(5, 60)):
            provider = market.random.choice(liked)
            passed = None if market.random.random() < 0.03 else market.random.random() < quality[provider]
            wrong = passed is not None and market.random.random() < 0.004
            market.trade(
                buyer, provider, market.random.choice(verifiers), price=price[provider], passed=passed, overruled=wrong
            )
    # Firms that sell to each other now and then, and spend mostly elsewhere.
    for one, other in (market.several(2) for _ in range(4)):
        for buyer, provider in ((one, other), (other, one)):
            for _ in range(4):
                market.trade(buyer, provider, market.random.choice(verifiers))
            for _ in range(15):
                market.trade(buyer, market.random.choice(providers), market.random.choice(verifiers))
    # Newcomers who try a provider with small jobs before they trust it.
    for buyer in market.several(6):
        for _ in range(6):
            market.trade(buyer, market.random.choice(providers), market.random.choice(verifiers), value=0.05)
    # An employer that funds its people's accounts; they buy from anybody.
    employer = market.account()
    for buyer in market.several(5):
        market.funding.append(FundingFact(buyer, employer, 50 * CREDIT))
        for _ in range(10):
            market.trade(buyer, market.random.choice(providers), market.random.choice(verifiers))
    for provider in providers:
        for _ in range(market.random.randint(1, 4)):
            market.asks.append(
                AskFact(
                    keccak_bytes32(f"ask {len(market.asks)}".encode()),
                    provider,
                    ZERO_BYTES32,
                    int(price[provider] * CREDIT / 100),
                    market.random.randint(0, 40),
                )
            )


def _wash(market: _Market, verifiers: list[Address], providers: list[Address]) -> None:
    ring = market.several(market.random.randint(2, 4))
    market.label("wash-trading", *ring)
    for at, buyer in enumerate(ring):
        for _ in range(market.random.randint(8, 11)):
            market.trade(
                buyer, ring[(at + 1) % len(ring)], market.random.choice(verifiers), value=market.random.uniform(3, 7)
            )
        for _ in range(market.random.randint(0, 14)):  # under cover
            market.trade(buyer, market.random.choice(providers), market.random.choice(verifiers))


def _self_deal(market: _Market, verifiers: list[Address], providers: list[Address]) -> None:
    provider, buyer = market.several(2)
    market.label("self-dealing", provider, buyer)
    market.funding.append(FundingFact(buyer, provider, 30 * CREDIT))
    for _ in range(market.random.randint(4, 10)):
        market.trade(buyer, provider, market.random.choice(verifiers))
    for _ in range(4):  # under cover
        market.trade(buyer, market.random.choice(providers), market.random.choice(verifiers))


def _collude(market: _Market, buyers: list[Address], providers: list[Address]) -> None:
    provider, verifier = market.several(2)
    market.label("colluding-committee", provider, verifier)
    for _ in range(market.random.randint(10, 20)):
        market.trade(market.random.choice(buyers), provider, verifier)
    for _ in range(market.random.randint(1, 4)):
        market.trade(market.random.choice(buyers), provider, market.account(), passed=False)
    for _ in range(market.random.randint(0, 4)):  # under cover
        market.trade(market.random.choice(buyers), market.random.choice(providers), verifier)


def _farm(market: _Market, verifiers: list[Address], buyers: list[Address]) -> None:
    provider, *puppets = market.several(market.random.randint(4, 7))
    market.label("score-farming", provider, *puppets)
    start = market.random.uniform(0, DAYS - 10)
    for _ in range(market.random.randint(18, 40)):
        market.trade(
            market.random.choice(puppets),
            provider,
            market.random.choice(verifiers),
            value=0.02,
            day=start + market.random.uniform(0, 8),
        )
    for _ in range(market.random.randint(0, 16)):  # under cover
        market.trade(market.random.choice(buyers), provider, market.random.choice(verifiers))


def _overcharge(market: _Market, verifiers: list[Address], buyers: list[Address]) -> None:
    provider, accomplice = market.several(2)
    market.label("price-outlier", provider, accomplice)
    for _ in range(20):
        market.trade(market.random.choice(buyers), provider, market.random.choice(verifiers))
    for _ in range(2):
        market.trade(accomplice, provider, market.random.choice(verifiers), price=market.random.uniform(6, 20))


def _spoof(market: _Market, verifiers: list[Address], buyers: list[Address]) -> None:
    provider = market.account()
    market.label("spoofed-ask", provider)
    for _ in range(market.random.randint(4, 8)):
        ask = keccak_bytes32(f"ask {len(market.asks)}".encode())
        market.asks.append(AskFact(ask, provider, ZERO_BYTES32, CREDIT // 250, market.random.randint(4, 12)))
    for _ in range(4):
        market.trade(market.random.choice(buyers), provider, market.random.choice(verifiers))


def _sponsor(market: _Market, verifiers: list[Address], providers: list[Address]) -> None:
    """An honest voucher fund: its holders buy from anybody, at the price that everybody pays, and at times with money of their own."""
    fund = market.account()
    usual = {
        provider: [trade.unit_price for trade in market.trades if trade.provider == provider] for provider in providers
    }
    for buyer in market.several(12):
        for _ in range(market.random.randint(5, 20)):
            provider = market.random.choice(providers)
            price = 100 * market.random.choice(usual[provider]) / CREDIT
            payer = fund if market.random.random() < 0.7 else None
            market.trade(buyer, provider, market.random.choice(verifiers), price=price, payer=payer)


def _return_vouchers(market: _Market, verifiers: list[Address], buyers: list[Address]) -> None:
    """Holders who bring a fund's money to a provider that gives it back to them."""
    fund, provider, *holders = market.several(market.random.randint(4, 6))
    market.label("voucher-abuse", provider, *holders)
    for holder in holders:
        market.funding.append(FundingFact(holder, provider, 3 * CREDIT))
        for _ in range(market.random.randint(2, 4)):
            market.trade(holder, provider, market.random.choice(verifiers), payer=fund)
    for _ in range(market.random.randint(4, 9)):  # under cover
        market.trade(market.random.choice(buyers), provider, market.random.choice(verifiers))


def _overcharge_vouchers(market: _Market, verifiers: list[Address], buyers: list[Address]) -> None:
    """Holders who do not look at the price, as a fund pays it."""
    fund, provider, *holders = market.several(market.random.randint(5, 8))
    market.label("voucher-abuse", provider, *holders)
    for holder in holders:
        for _ in range(market.random.randint(2, 4)):
            market.trade(
                holder, provider, market.random.choice(verifiers), price=market.random.uniform(1.8, 3), payer=fund
            )
    for _ in range(market.random.randint(6, 12)):
        market.trade(market.random.choice(buyers), provider, market.random.choice(verifiers))


def _strange(market: _Market, verifiers: list[Address], buyers: list[Address]) -> None:
    """No rule looks for it: everything on one day, for very much, and half of it fails."""
    provider = market.account()
    market.label("unusual-account", provider)
    day = market.random.uniform(0, DAYS - 1)
    for at in range(24):
        buyer = market.random.choice(buyers)
        passed = at % 2 == 0
        market.trade(buyer, provider, market.random.choice(verifiers), value=60, day=day + at / 48, passed=passed)
