"""Settings of the node: from ``COMPUTILITY_*`` variables (``DATABASE_URL`` too), or given by name.

Nothing here is a secret except what a URL may carry: such a URL is shown without user, password, path and query.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from pydantic import AliasChoices, Field, HttpUrl, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_MIB: Final = 1024 * 1024


class NodeSettings(BaseSettings):
    """Everything that a node can be told. The defaults are one process on SQLite beside a local chain."""

    model_config = SettingsConfigDict(
        env_prefix="COMPUTILITY_", extra="ignore", frozen=True, populate_by_name=True, hide_input_in_errors=True
    )

    # Where it serves
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8000
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Host names besides the loopback ones under which it may be asked (``COMPUTILITY_ALLOWED_HOSTS=a.org,b.org``)."""
    web_dist: Path = Path("frontend/dist")
    examples_dir: Path | None = Path("examples")
    """Folder of example programs to offer; none when it does not exist."""

    development_accounts: Annotated[tuple[str, ...], NoDecode] = (
        "buyer=0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
        "provider=0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
    )
    """``label=address`` of the well-known accounts that the page's built-in wallet offers, on development chains only."""

    # The chain
    rpc_url: str = "http://127.0.0.1:8545"
    more_rpc_urls: Annotated[tuple[str, ...], NoDecode] = ()
    """Further endpoints of the same chain: asked when the first fails, and held against it at final blocks (``COMPUTILITY_MORE_RPC_URLS=a,b``)."""
    rpc_websocket_url: str | None = None
    """Where new blocks are told of; without it they are polled for."""
    rpc_url_public: HttpUrl | None = None
    """Where wallets reach the chain, if anywhere but through their own settings."""
    rpc_timeout_s: Annotated[float, Field(gt=0, le=120)] = 10.0
    deployments_dir: Path = Path("deployments")
    chain_number: Annotated[int, Field(ge=1)] = 31_337
    poll_interval_s: Annotated[float, Field(gt=0, le=600)] = 0.5
    confirmation_depth: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Blocks below the head at which the indexer reads."""
    safe_depth: Annotated[int, Field(ge=0, le=100_000)] = 2
    finality_depth: Annotated[int, Field(ge=0, le=100_000)] = 5
    """Depths that stand for *safe* and *finalized* on a chain that does not name such blocks."""

    # What it keeps
    database_url: Annotated[
        str, Field(validation_alias=AliasChoices("COMPUTILITY_DATABASE_URL", "DATABASE_URL", "database_url"))
    ] = "sqlite:///.computility/node.sqlite"
    database_replica_url: Annotated[
        str | None,
        Field(
            validation_alias=AliasChoices(
                "COMPUTILITY_DATABASE_REPLICA_URL", "DATABASE_REPLICA_URL", "database_replica_url"
            )
        ),
    ] = None
    """A copy of the same PostgreSQL database that follows it: jobs, events and accounts are read there, and may lag behind by as much as it does."""
    database_connections: Annotated[int, Field(ge=4, le=1_000)] = 15
    """Most connections to PostgreSQL at one time, to the database and to its replica each. The indexer takes three."""
    content_url: str = ".computility/content"
    """fsspec URL or folder of the content store."""
    max_content_bytes: Annotated[int, Field(ge=1)] = 64 * _MIB
    content_quota_bytes: Annotated[int, Field(ge=1)] = 8 * 1024 * _MIB

    # How much one stranger may ask of it
    max_open_asks: Annotated[int, Field(ge=1)] = 100
    """Open asks of one provider."""
    max_pending_requests: Annotated[int, Field(ge=1)] = 20
    """Unanswered quote requests of one buyer."""
    max_queued_requests: Annotated[int, Field(ge=1)] = 1_000
    """Unanswered quote requests to one provider."""
    max_submissions: Annotated[int, Field(ge=1)] = 16
    """Submissions to one job."""
    max_attestations_per_signer: Annotated[int, Field(ge=1)] = 64
    """Attestations of one signer to one job; a metered lease has many readings."""
    max_waiters: Annotated[int, Field(ge=1)] = 256
    """Long polls at one time."""
    max_streams: Annotated[int, Field(ge=1)] = 128
    """Event streams at one time."""
    stream_heartbeat_s: Annotated[float, Field(gt=0, le=300)] = 15.0

    @field_validator("allowed_hosts", "development_accounts", "more_rpc_urls", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @property
    def chain_id(self) -> str:
        """CAIP-2."""
        return f"eip155:{self.chain_number}"

    @property
    def development(self) -> bool:
        """Whether the chain is a local one whose keys are public."""
        return self.chain_number in DEVELOPMENT_CHAINS


DEVELOPMENT_CHAINS: Final = frozenset({31_337, 1_337})
