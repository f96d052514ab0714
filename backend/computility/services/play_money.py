"""Play money of a development chain: there a deployment's reserve is a token that anybody may make."""

from __future__ import annotations

from computility.chain.transaction_sender import Receipt
from computility.domain.errors import DeploymentMissing
from computility.services.trading_account import TradingAccount


def mint_play_money(account: TradingAccount, wanted: int) -> Receipt:
    """Reserve tokens for at least ``wanted`` atoms of credit, for an account.

    Raises:
        DeploymentMissing: the reserve is a token that somebody stands for.
    """
    reserve = account.reserve()
    if account.ledger.contracts.get("DevReserve") != reserve.address:
        raise DeploymentMissing("this deployment has no play money: bring reserve tokens to this wallet")
    scale = int(account.credit.read("scale"))
    return account.send(reserve, "mint", account.address, -(-wanted // scale))
