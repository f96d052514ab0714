"""``python -m computility.cli.demo.cheating_provider``: the product's own provider agent, with the demo's tampering executor."""

from __future__ import annotations

import sys
from pathlib import Path

from computility.cli.demo.tampering_executor import TamperingExecutor
from computility.cli.service import serve_until_signalled, set_up_log
from computility.cli.session import SERVICE_WAITS_S, open_session
from computility.domain.identifiers import parse_address
from computility.domain.quoting import ProviderPolicy
from computility.execution.wasm.executor import WasmExecutor
from computility.services.provider_agent import ProviderAgent, ProviderSettings


def main() -> None:
    """Serve until signalled. Arguments: node URL, RPC URL, keystore file, password file."""
    node, rpc, keystore, password_file = sys.argv[1:]
    set_up_log(verbose=False)
    with open_session(node, rpc, Path(keystore), Path(password_file), wait_s=SERVICE_WAITS_S) as session:
        agent = ProviderAgent(
            session.account,
            session.node,
            TamperingExecutor(WasmExecutor()),
            ProviderPolicy(verifiers=[parse_address(session.config["committee"]["address"])]),
            # It would only dispute what it made up itself: its executor alters the same byte again.
            ProviderSettings(propose_before_end_s=10, contest_fails=False),
        )
        serve_until_signalled(agent.run)


if __name__ == "__main__":
    main()
