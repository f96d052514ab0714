"""The node's health, and what a client must know to use it."""

from __future__ import annotations

from fastapi import APIRouter

from computility.api.dependencies import RunningNode
from computility.api.presenters.node import config, health
from computility.api.problems import problems
from computility.api.schemas.node import Config, Health

router = APIRouter(tags=["node"])


@router.get("/health", responses=problems())
def get_health(node: RunningNode) -> Health:
    """How the node is. Always 200 while the node itself answers: `status` says the rest."""
    return health(node)


@router.get("/config", responses=problems(503))
def get_config(node: RunningNode) -> Config:
    """Contracts, signing domain, committee, tokens and examples."""
    return config(node)
