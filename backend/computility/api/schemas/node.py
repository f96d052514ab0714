"""The node itself: its health, what a page or agent must know to use it, and its audit."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from computility.api.schemas.job import ChainIdText
from computility.api.schemas.wire import (
    Address,
    Answer,
    BlockNumber,
    Bps,
    Bytes32,
    Confirmation,
    ContentIdText,
    Message,
    Time,
)

Contracts = Annotated[
    dict[str, Address],
    Field(
        description="Contract addresses by name.",
        examples=[{"JobEscrow": "0x5FbDB2315678afecb367f032d93F642f64180aa3"}],
    ),
]


class HeadBlock(Answer):
    """The chain's newest block."""

    number: BlockNumber
    hash: Bytes32
    timestamp: Time


class IndexedBlock(Answer):
    """The block up to which the store is folded."""

    number: BlockNumber
    hash: Bytes32


class Health(Answer):
    """How the node is. It reads from its store even while the chain does not answer."""

    status: Annotated[
        Literal["ok", "syncing", "degraded"],
        Field(
            description="`syncing`: behind the chain. `degraded`: the chain does not answer, or the indexer stopped."
        ),
    ]
    detail: Annotated[str | None, Field(description="What is wrong and what to do.")]
    version: Annotated[str, Field(examples=["0.1.0"])]
    chain_id: ChainIdText
    head: HeadBlock | None
    indexed: IndexedBlock | None
    lag_blocks: Annotated[int | None, Field(ge=0, description="Blocks that the store is behind.", examples=[0])]
    generation: Annotated[int, Field(ge=1, examples=[1])]
    contracts: Contracts
    rpc_url_public: Annotated[str | None, Field(description="Where a wallet may reach the chain.")]
    development: Annotated[bool, Field(description="A local chain with public keys.", examples=[True])]


class TokenMetadata(Answer):
    """An ERC-20 token."""

    address: Address
    name: Annotated[str, Field(examples=["Compute Credit"])]
    symbol: Annotated[str, Field(examples=["CC"])]
    decimals: Annotated[int, Field(ge=0, le=36, examples=[18])]


class SigningDomain(Message):
    """The EIP-712 domain of every statement, under the names of that standard."""

    name: Literal["Computility"]
    version: Literal["1"]
    chain_id: Annotated[int, Field(ge=1, examples=[31337])]
    verifying_contract: Address


class Committee(Answer):
    """The verifier committee."""

    address: Address
    members: list[Address]
    threshold: Annotated[int, Field(ge=1, description="Members of a job's panel that have to sign.", examples=[2])]
    panel_size: Annotated[int, Field(ge=1, description="Members that are drawn for each job.", examples=[3])]


class DevelopmentAccount(Answer):
    """A well-known account of a development chain. Its key is public."""

    label: Annotated[str, Field(examples=["buyer"])]
    address: Address


class DevelopmentWallet(Answer):
    """Whether the page may offer its built-in wallet."""

    enabled: bool
    addresses: list[DevelopmentAccount]


class ExampleFile(Answer):
    """An input of an example."""

    path: Annotated[str, Field(examples=["demo.scene"])]
    cid: ContentIdText
    size: Annotated[int, Field(ge=0, examples=[812])]


class Example(Answer):
    """A job that this node offers to try: a program and what one run of it reads."""

    name: Annotated[str, Field(examples=["path_tracer/demo"])]
    module: ExampleFile
    inputs: list[ExampleFile]


class CommandExample(Answer):
    """A command that this node offers to try, for providers of jobs of kind `process`."""

    name: Annotated[str, Field(examples=["languages"])]
    artifacts: list[ExampleFile]
    arguments: Annotated[
        list[str],
        Field(description="The whole argv.", examples=[["/opt/python/bin/python3", "classify.py"]]),
    ]
    inputs: list[ExampleFile]
    seconds: Annotated[int, Field(ge=1, description="Most seconds of processor.", examples=[60])]
    memory_mib: Annotated[int, Field(ge=1, examples=[1024])]
    verification: Annotated[
        dict[str, Any],
        Field(description="How the result is checked; empty: run again.", examples=[{"method": "hash-equality"}]),
    ]


class Config(Answer):
    """What the web app has to know before it can trade."""

    chain_id: ChainIdText
    chain_number: Annotated[int, Field(ge=1, examples=[31337])]
    rpc_path: Annotated[
        str | None, Field(description="Same-origin JSON-RPC; null beyond development chains.", examples=["/rpc"])
    ]
    rpc_url_public: str | None
    generation: Annotated[int, Field(ge=1, examples=[1])]
    contracts: Contracts
    eip712_domain: SigningDomain
    reserve: TokenMetadata
    credit: TokenMetadata
    committee: Committee | None
    fee_bps: Annotated[list[Bps], Field(min_length=4, max_length=4, description="Protocol fee by the provider's tier.")]
    bond_bps: Annotated[list[Bps], Field(min_length=4, max_length=4, description="Least bond by the provider's tier.")]
    min_dispute_window: Annotated[int, Field(ge=0, examples=[1])]
    development_wallet: DevelopmentWallet
    examples: list[Example]
    commands: list[CommandExample]
    max_content_bytes: Annotated[int, Field(ge=1, examples=[67_108_864])]


class AuditCounts(Answer):
    """How much was compared."""

    blocks: Annotated[int, Field(ge=0)]
    events: Annotated[int, Field(ge=0)]
    jobs: Annotated[int, Field(ge=0)]
    accounts: Annotated[int, Field(ge=0)]


class AuditDifference(Answer):
    """One row in which store and chain do not agree."""

    table: Annotated[str, Field(examples=["jobs"])]
    key: Annotated[str, Field(description="The row's key.")]
    field: Annotated[str, Field(examples=["provider_paid"])]
    store: Annotated[Any, Field(description="What the store holds; null where it has no such row.")]
    chain: Annotated[Any, Field(description="What the chain says; null where it has no such row.")]


class AuditReport(Answer):
    """A replay of the whole chain against the store, made for this answer."""

    store_matches_chain: Annotated[bool, Field(examples=[True])]
    checked_block: IndexedBlock
    differences: list[AuditDifference]
    counts: AuditCounts
    checked_at: Time


class Alert(Answer):
    """A suspicion, and the jobs that are its evidence."""

    rule: Annotated[str, Field(examples=["wash-trading"])]
    accounts: list[Address]
    jobs: list[Bytes32]
    what: Annotated[str, Field(description="What was seen, in a sentence.")]
    facts: Annotated[dict[str, Any], Field(description="The numbers behind it; they depend on the rule.")]
    confirmation: Annotated[Confirmation, Field(description="Of the least settled of its jobs.")]


class Alerts(Answer):
    """What the rules suspect, and which of them had nothing to look at."""

    alerts: list[Alert]
    trades: Annotated[int, Field(ge=0, description="Closed trades that were looked at.")]
    skipped: Annotated[dict[str, str], Field(description="Rules that could not look, and why.")]


class StoredContent(Answer):
    """Content that the node keeps."""

    cid: ContentIdText
    size: Annotated[int, Field(ge=0, examples=[812])]
