"""Settings of the node: from ``COMPUTILITY_*`` variables (``DATABASE_URL`` too), or given by name.

Nothing here is a secret except what a URL may carry: such a URL is shown without user, password, path and query.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, HttpUrl, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_MIB: Final = 1024 * 1024


class NodeSettings(BaseSettings):
    """Everything that a node can be told. The defaults are one process on SQLite beside a local chain."""

    model_config = SettingsConfigDict(
        env_prefix="COMPUTILITY_",
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    # Where it serves
    host: str = "127.0.0.1"
    """Address to listen on. Put a proxy that speaks TLS before it, and name its host in `COMPUTILITY_ALLOWED_HOSTS`."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 8000
    """Port to listen on; 0 takes a free one."""
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Host names besides the loopback ones under which it may be asked (``COMPUTILITY_ALLOWED_HOSTS=a.org,b.org``)."""
    web_dist: Path = Path("frontend/dist")
    """Folder of the built web app."""
    examples_dir: Path | None = Path("examples")
    """Folder of example programs to offer; none when it does not exist."""

    development_accounts: Annotated[tuple[str, ...], NoDecode] = (
        "buyer=0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
        "provider=0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
    )
    """``label=address`` of the well-known accounts that the page's built-in wallet offers, on development chains only."""

    # The chain
    rpc_url: str = "http://127.0.0.1:8545"
    """An endpoint of the chain."""
    more_rpc_urls: Annotated[tuple[str, ...], NoDecode] = ()
    """Further endpoints of the same chain: asked when the first fails, and held against it at final blocks (``COMPUTILITY_MORE_RPC_URLS=a,b``)."""
    rpc_websocket_url: str | None = None
    """Where new blocks are told of. Without it they are polled for, but on development chains told of under the URL of the endpoint."""
    rpc_url_public: HttpUrl | None = None
    """Where wallets reach the chain, if anywhere but through their own settings."""
    rpc_timeout_s: Annotated[float, Field(gt=0, le=120)] = 10.0
    """How long an endpoint may take to answer."""
    deployments_dir: Path = Path("deployments")
    """Folder of the records that `computility deploy` writes, one a chain."""
    chain_number: Annotated[int, Field(ge=1)] = 31_337
    """EVM chain id. An endpoint of another chain is refused."""
    poll_interval_s: Annotated[float, Field(gt=0, le=600)] = 0.5
    """How often new blocks are asked for."""
    confirmation_depth: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Blocks below the head at which the indexer reads."""
    safe_depth: Annotated[int, Field(ge=0, le=100_000)] = 2
    """Blocks below the head that stand for *safe* on a chain that does not name such blocks."""
    finality_depth: Annotated[int, Field(ge=0, le=100_000)] = 5
    """Blocks below the head that stand for *finalized* on a chain that does not name such blocks."""

    # What it keeps
    database_url: Annotated[
        str, Field(validation_alias=AliasChoices("COMPUTILITY_DATABASE_URL", "DATABASE_URL", "database_url"))
    ] = "sqlite:///.computility/node.sqlite"
    """Where the store is; `postgresql://user@host/name` for PostgreSQL."""
    database_replica_url: Annotated[
        str | None,
        Field(
            validation_alias=AliasChoices(
                "COMPUTILITY_DATABASE_REPLICA_URL", "DATABASE_REPLICA_URL", "database_replica_url"
            )
        ),
    ] = None
    """A copy of the same PostgreSQL database that follows it: what is only shown (jobs, events, accounts, statistics, institutions, suspicions) is
    read there, and may lag behind by as much as it does."""
    database_connections: Annotated[int, Field(ge=4, le=1_000)] = 15
    """Most connections to PostgreSQL at one time, to the database and to its replica each. The indexer takes three."""
    content_url: str = ".computility/content"
    """fsspec URL or folder of the content store."""
    max_content_bytes: Annotated[int, Field(ge=1)] = 64 * _MIB
    """Largest file that the content store takes."""
    content_quota_bytes: Annotated[int, Field(ge=1)] = 8 * 1024 * _MIB
    """Most bytes that the content store holds in all."""

    # How much one stranger may ask of it
    max_open_asks: Annotated[int, Field(ge=1)] = 100
    """Open asks of one provider."""
    max_pending_requests: Annotated[int, Field(ge=1)] = 20
    """Unanswered quote requests of one buyer."""
    max_queued_requests: Annotated[int, Field(ge=1)] = 1_000
    """Unanswered quote requests to one provider."""
    max_attestations_per_signer: Annotated[int, Field(ge=1)] = 64
    """Attestations of one signer to one job; a metered lease has many readings."""
    exclusion_days: Annotated[int, Field(ge=0, le=3_650)] = 90
    """Days for which no asks are taken of a provider against whom a fail of the committee's stood; 0 takes them all. Verifiers do not believe it
    unseen for 90 days, whatever is set here."""
    max_waiters: Annotated[int, Field(ge=1)] = 256
    """Long polls at one time."""
    max_streams: Annotated[int, Field(ge=1)] = 128
    """Event streams at one time."""
    stream_heartbeat_s: Annotated[float, Field(gt=0, le=300)] = 15.0
    """How often a quiet event stream shows that it lives."""

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

    @property
    def heads_url(self) -> str | None:
        """Where ``newHeads`` are told: anvil and Ganache answer WebSockets where they answer HTTP. While nobody does, blocks are polled for."""
        if self.rpc_websocket_url or not self.development:
            return self.rpc_websocket_url
        return "ws" + self.rpc_url.removeprefix("http") if self.rpc_url.startswith("http") else None


@dataclass(frozen=True)
class Setting:
    """One setting as a reader of the manual, or of `computility node settings`, sees it."""

    variable: str
    default: str
    value: str
    meaning: str


def describe_settings(settings: NodeSettings) -> list[Setting]:
    """All settings, with what they are and what they would be; of URLs scheme, host and port alone."""
    return [
        Setting(
            variable=_variable(name),
            default=_shown(name, field.get_default(call_default_factory=True)),
            value=_shown(name, getattr(settings, name)),
            meaning=" ".join((field.description or "").replace("``", "`").split()),
        )
        for name, field in NodeSettings.model_fields.items()
    ]


def _variable(name: str) -> str:
    # The database's are the ones that hosts of databases set.
    return name.upper() if name in ("database_url", "database_replica_url") else f"COMPUTILITY_{name.upper()}"


def _shown(name: str, value: object) -> str:
    if value is None or value == ():
        return "none"
    if isinstance(value, tuple):
        return ", ".join(_shown(name, part) for part in value)
    text = str(value)
    if "url" in name and "://" in text and not text.startswith("sqlite:"):
        parts = urlsplit(text)
        where = (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
        hidden = parts.username or parts.path.strip("/") or parts.query
        return f"{parts.scheme}://{where}" + ("/…" if hidden else "")
    return text


DEVELOPMENT_CHAINS: Final = frozenset({31_337, 1_337})
