"""The node's metrics, as Prometheus scrapes them. No part of the documented API."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from computility.api.dependencies import RunningNode

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
def metrics(node: RunningNode) -> Response:
    """Lag, rate, reorganisations, errors of endpoints."""
    return Response(generate_latest(node.metrics.registry), media_type=CONTENT_TYPE_LATEST)
