"""Whatever is sent, the node keeps its word: no errors of its own, and only answers that its description names."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance
from tests.integration.api.conftest import settings_of_node

from computility.api.app import create_app
from computility.chain.deployments import Deployments
from computility.chain.local_chain import LocalChain
from computility.settings import NodeSettings

# tus names its bytes by a media type of its own.
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
_SCHEMA = schemathesis.openapi.from_dict(create_app(NodeSettings.model_construct()).openapi())
_OPERATIONS = [result.ok() for result in _SCHEMA.get_all_operations()]


@pytest.fixture(scope="module")
def url(
    anvil: LocalChain, deployed: tuple[Path, Deployments], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """One node for all requests, over a real socket: what one of them leaves behind must not trouble the next."""
    folder = tmp_path_factory.mktemp("node")
    app = create_app(settings_of_node(anvil, deployed[0], folder))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


@pytest.mark.parametrize("operation", _OPERATIONS, ids=lambda operation: f"{operation.method.upper()} {operation.path}")
def test_any_request__is_answered_as_described(url: str, operation: Any) -> None:
    @given(case=operation.as_strategy())
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True)
    def send(case: Any) -> None:
        if "wait" in (case.query or {}):
            case.query["wait"] = 0
        case.headers = None
        response = case.call(base_url=url)
        checks = [not_a_server_error, content_type_conformance, response_schema_conformance]
        # A busy or full node says so with a 5xx of its own choice.
        if response.status_code in (503, 507):
            checks.remove(not_a_server_error)
        case.validate_response(response, checks=checks)

    send()
