"""Reader keys in the journal: an agent tells its own, and a buyer finds those of whom it seals a job to."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Final

from computility.domain.eip712 import Eip712Domain
from computility.domain.errors import ComputilityError
from computility.domain.identifiers import Address, Bytes32
from computility.domain.reader_notice import ReaderNotice
from computility.domain.statements import StatementKind, read_statement
from computility.services.node_client import NodeClient
from computility.services.trading_account import TradingAccount

_log = logging.getLogger(__name__)

_AGAIN_S: Final = 5.0
_AT_MOST_S: Final = 300.0


def told_reader_key(node: NodeClient, account: Address, domain: Eip712Domain) -> str | None:
    """The key that an account told last, None where it told none. Its signature is proven: a node can withhold a key, and make up none.

    Raises:
        SignerMismatch: the node shows somebody else's statement.
    """
    for row in node.reader_notices(account, limit=1):
        signed = read_statement({**row, "kind": StatementKind.READER_NOTICE.value}, domain)
        if isinstance(signed.message, ReaderNotice) and signed.signer == signed.message.account == account:
            return signed.message.key
    return None


def told_reader_keys(node: NodeClient, accounts: Iterable[Address], domain: Eip712Domain) -> dict[Address, str]:
    """Keys by account, of those that told one."""
    found = {account: told_reader_key(node, account, domain) for account in dict.fromkeys(accounts)}
    return {account: key for account, key in found.items() if key is not None}


def telling_its_reader_key(
    serve: Callable[[threading.Event], None], account: TradingAccount, node: NodeClient
) -> Callable[[threading.Event], None]:
    """An agent's service that tells its reader key besides: once, as soon as the node takes it."""

    def run(stop: threading.Event) -> None:
        threading.Thread(target=_tell, args=(account, node, stop), name="reader-key", daemon=True).start()
        serve(stop)

    return run


def _tell(account: TradingAccount, node: NodeClient, stop: threading.Event) -> None:
    pause = _AGAIN_S
    said: str | None = None
    while not stop.is_set():
        try:
            tell_reader_key(account, node)
        except ComputilityError as error:
            if said != error.code:
                _log.info("the reader key is not told yet: %s", error)
            said = error.code
            stop.wait(pause)
            pause = min(2 * pause, _AT_MOST_S)
            continue
        return


def tell_reader_key(account: TradingAccount, node: NodeClient) -> None:
    """Tell the account's key, unless it is the one that was told last.

    Raises:
        NodeRefused: the node takes none of this account.
        NodeUnavailable, ChainError: it does not answer, or the chain does not.
    """
    key = account.reader_key().public
    if told_reader_key(node, account.address, account.ledger.domain) != key:
        node.publish(account.sign(ReaderNotice(account.address, Bytes32(key), account.chain_time())))
        _log.info("told the reader key %s", key)
