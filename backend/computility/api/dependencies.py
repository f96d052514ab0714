"""What the routers are given."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request

from computility.services.node import Node


def _node(request: Request) -> Node:
    node: Node = request.app.state.node
    return node


RunningNode = Annotated[Node, Depends(_node)]
Limit = Annotated[int, Query(ge=1, le=200, description="Items on a page.")]
Cursor = Annotated[str | None, Query(max_length=256, description="The `next` of the page before.")]
Wait = Annotated[
    int, Query(ge=0, le=25, description="Seconds to wait for something new before answering with what there is.")
]
