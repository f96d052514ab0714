"""What the routers are given."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Final

from fastapi import Depends, Query, Request

from computility.api.hosts import is_loopback
from computility.services.node import Node

_ONE_HOUSEHOLD: Final = 64
"""Bits of an IPv6 address that a network is given: whoever has one has all of it."""


def _node(request: Request) -> Node:
    node: Node = request.app.state.node
    return node


def _client(request: Request) -> str:
    host = request.client.host if request.client else ""
    if is_loopback(host):
        # The operator's own, or a proxy's: whose, nobody can tell.
        return ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 4:
        return host
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address), _ONE_HOUSEHOLD), strict=False))


RunningNode = Annotated[Node, Depends(_node)]
Client = Annotated[str, Depends(_client)]
"""Where a request comes from: an IPv4 address, or the IPv6 network that is one customer's; empty for this machine, before which a proxy may stand."""
Limit = Annotated[int, Query(ge=1, le=200, description="Items on a page.")]
Cursor = Annotated[str | None, Query(max_length=256, description="The `next` of the page before.")]
Wait = Annotated[
    int, Query(ge=0, le=25, description="Seconds to wait for something new before answering with what there is.")
]
