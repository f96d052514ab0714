"""Which names the node may be asked under.

A page of a stranger can make its own host name resolve to 127.0.0.1 (DNS rebinding) and would then share this node's
origin. On a development chain that origin has a wallet and a JSON-RPC pass-through, so a request under an unknown name
is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from computility.api.problems import problem

_LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class KnownHostsOnly:
    """ASGI middleware: answers 421 unless the Host header is a loopback name or one of ``allowed``."""

    def __init__(self, app: ASGIApp, allowed: Iterable[str] = ()) -> None:
        self._app = app
        self._allowed = _LOOPBACK_NAMES | {name.lower() for name in allowed}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            host = host_name(Headers(scope=scope).get("host", ""))
            if host not in self._allowed:
                answer = problem(
                    421,
                    "unknown-host",
                    "This node does not go by that host name. Use http://127.0.0.1, or add the name to "
                    "COMPUTILITY_ALLOWED_HOSTS.",
                )
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


def host_name(host: str) -> str:
    """The name in a Host header or in the authority of an origin: without port, without brackets, in lower case."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def is_loopback(address: str | None) -> bool:
    """Whether a peer's address is this machine's own."""
    if address is None:
        return False
    try:
        peer = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(peer, "ipv4_mapped", None)
    return (mapped or peer).is_loopback
