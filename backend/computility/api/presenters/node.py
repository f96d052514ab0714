"""The node's own facts in the API's words."""

from __future__ import annotations

from importlib.metadata import version

from computility.api.schemas.node import (
    CommandExample,
    Committee,
    Config,
    DevelopmentAccount,
    DevelopmentWallet,
    Example,
    ExampleFile,
    HeadBlock,
    Health,
    IndexedBlock,
    SigningDomain,
    TokenMetadata,
)
from computility.services import examples
from computility.services.chain_view import Token
from computility.services.node import Node


def health(node: Node) -> Health:
    """How the node is."""
    status = node.status()
    head, indexed = status.head, status.indexed
    newest = node.deployments.newest
    return Health(
        status=status.status,
        detail=status.detail,
        version=version("computility"),
        chain_id=node.deployments.chain_id,
        head=HeadBlock(number=head.number, hash=head.hash, timestamp=head.timestamp) if head else None,
        indexed=IndexedBlock(number=indexed.number, hash=indexed.hash) if indexed else None,
        lag_blocks=status.lag_blocks,
        generation=newest.number,
        contracts=dict(newest.contracts),
        rpc_url_public=_public_url(node),
        development=node.settings.development,
    )


def config(node: Node) -> Config:
    """What a page needs in order to trade.

    Raises:
        ChainError: the chain does not answer, and the node has not asked it before.
    """
    newest = node.deployments.newest
    committee = node.chain.committee()
    parameters = node.chain.parameters()
    domain = node.deployments.domain
    return Config(
        chain_id=node.deployments.chain_id,
        chain_number=node.deployments.chain_number,
        rpc_path="/rpc" if node.settings.development else None,
        rpc_url_public=_public_url(node),
        generation=newest.number,
        contracts=dict(newest.contracts),
        eip712_domain=SigningDomain(
            name="Computility", version="1", chain_id=domain.chain_number, verifying_contract=domain.escrow
        ),
        reserve=_token(node.chain.token("Reserve")),
        credit=_token(node.chain.token("ComputeCredit")),
        committee=Committee(
            address=committee.address,
            members=list(committee.members),
            threshold=committee.threshold,
            panel_size=committee.panel_size,
        )
        if committee
        else None,
        fee_bps=list(parameters.fee_bps),
        bond_bps=list(parameters.bond_bps),
        min_dispute_window=parameters.min_dispute_window_s,
        development_wallet=_development_wallet(node),
        examples=[_example(example) for example in node.examples],
        commands=[_command(command) for command in node.commands],
        max_content_bytes=node.settings.max_content_bytes,
    )


def _public_url(node: Node) -> str | None:
    url = node.settings.rpc_url_public
    return str(url) if url else None


def _token(token: Token) -> TokenMetadata:
    return TokenMetadata(address=token.address, name=token.name, symbol=token.symbol, decimals=token.decimals)


def _development_wallet(node: Node) -> DevelopmentWallet:
    accounts = [DevelopmentAccount(label=label, address=address) for label, address in node.development_accounts]
    return DevelopmentWallet(enabled=bool(accounts), addresses=accounts)


def _example(example: examples.Example) -> Example:
    return Example(name=example.name, module=_file(example.module), inputs=[_file(file) for file in example.inputs])


def _command(command: examples.CommandExample) -> CommandExample:
    return CommandExample(
        name=command.name,
        artifacts=[_file(file) for file in command.artifacts],
        arguments=list(command.arguments),
        inputs=[_file(file) for file in command.inputs],
        seconds=command.seconds,
        memory_mib=command.memory_mib,
        verification=dict(command.verification),
    )


def _file(file: examples.ExampleFile) -> ExampleFile:
    return ExampleFile(path=file.path, cid=str(file.cid), size=file.size)
