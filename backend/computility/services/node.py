"""The node put together: store, indexer, order book, content, and what is read from them; and how it is served."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from typing import Final, Self

import uvicorn

from computility.chain.connection import ChainConnection
from computility.chain.deployments import read_deployments
from computility.chain.rpc import RpcClient
from computility.domain.content_id import content_id_of_digest
from computility.domain.errors import ContentMismatch, ContentNotFound
from computility.domain.identifiers import Address, Bytes32, parse_address, parse_bytes32
from computility.execution.content_store import FileContentStore
from computility.services.accounts import Accounts
from computility.services.attestation_aggregate import Bench
from computility.services.auditor import Auditor, AuditReport
from computility.services.chain_view import ChainView
from computility.services.change_feed import ChangeFeed
from computility.services.content import ContentService
from computility.services.content_sweep import Swept, sweep
from computility.services.examples import CommandExample, Example, publish_commands, publish_examples
from computility.services.exclusions import Exclusions
from computility.services.indexer import Indexer
from computility.services.indexer_metrics import IndexerMetrics
from computility.services.indexer_thread import IndexerThread
from computility.services.journal import Journal
from computility.services.lease_services import LeaseServices
from computility.services.market import Market
from computility.services.node_status import IndexedBlock, NodeStatus, node_status
from computility.services.order_book import JOBS_TOPIC, OrderBook, job_topic
from computility.services.outputs import Outputs
from computility.services.proof_builder import ProofBuilder
from computility.services.rating_book import RatingBook
from computility.services.reader_book import ReaderBook
from computility.services.stored_institutions import StoredInstitutions
from computility.services.stored_ledger import StoredLedger
from computility.services.stored_statistics import StoredStatistics
from computility.services.suspicions import Suspicions
from computility.services.trades import Trades
from computility.services.uploads import Uploads
from computility.services.verdict_reason import VerdictReasons
from computility.settings import NodeSettings
from computility.store.engine import Database, open_database, open_replica
from computility.verification.quorum import QuorumRule

_STOP_SERVING_WITHIN_S: Final = 3
_NEWEST_ASKS: Final = 5_000
"""From which statistics know the kinds of resources."""


class Node:
    """Everything that a node does, except to speak HTTP. Made by ``running``."""

    def __init__(
        self, settings: NodeSettings, database: Database, rpc: RpcClient, replica: Database | None = None
    ) -> None:
        self.settings = settings
        self.database = database
        self.connection = ChainConnection(rpc)
        self.deployments = read_deployments(settings.deployments_dir, settings.chain_number)
        self.feed = ChangeFeed(settings.max_waiters, settings.max_streams)
        self.chain = ChainView(self.connection, self.deployments)
        self.ledger = StoredLedger(database, self.deployments)
        self.metrics = IndexerMetrics()
        self.journal = Journal(self.deployments.chain_id, database.unit_of_work)
        rule = QuorumRule(exclusion_s=settings.exclusion_days * 86_400)
        exclusions = Exclusions(self.ledger, self._committees, rule)
        self.order_book = OrderBook(
            self.deployments.domain,
            self.journal,
            self.ledger,
            self._members_of,
            self.feed,
            settings,
            self.clock,
            self.chain.newest_block,
            exclusions,
            self.chain.time_of,
        )
        self.ratings = RatingBook(
            self.deployments.domain,
            self.journal,
            self.ledger,
            self._members_of,
            lambda: self.deployments.newest.contracts.get("VerifierCommittee"),
            self.feed,
            self.clock,
        )
        self.readers = ReaderBook(
            self.deployments.domain,
            self.journal,
            self.ledger,
            self._members_of,
            lambda: self.deployments.newest.contracts.get("VerifierCommittee"),
            self.feed,
            self.clock,
        )
        self.market = Market(self.journal, self.ledger, exclusions, self.clock)
        # What is only shown may come from a copy that lags; what is decided by may not.
        copy = replica or database
        shown = StoredLedger(copy, self.deployments)
        self.statistics = StoredStatistics(copy, self.deployments, lambda: self.journal.newest_urns(_NEWEST_ASKS))
        self.institutions = StoredInstitutions(copy, self.deployments)
        self.suspicions = Suspicions(copy, self.deployments.chain_id, shown)
        store = FileContentStore(settings.content_url, settings.max_content_bytes)
        self.trades = Trades(shown, self.journal, self._bench_of, VerdictReasons(store).of)
        self.accounts = Accounts(shown, self.journal, self.chain, self.clock)
        self.content = ContentService(store, settings.max_content_bytes, settings.content_quota_bytes)
        self.lease_services = LeaseServices(shown, self.journal, store, self.clock)
        self.uploads = Uploads(self.content)
        self.outputs = Outputs(self.trades, self.journal, self.content)
        self.examples: tuple[Example, ...] = publish_examples(settings.examples_dir, self.content.put)
        self.commands: tuple[CommandExample, ...] = publish_commands(settings.examples_dir, self.content.put)
        self.auditor = Auditor(self.connection, database, self.deployments)
        self.indexer: IndexerThread | None = None

    @classmethod
    @contextmanager
    def running(cls, settings: NodeSettings) -> Iterator[Self]:
        """A node that follows the chain until the block ends.

        Raises:
            DeploymentMissing: nothing is deployed on the chain.
            StoreError: the database cannot be opened.
        """
        with ExitStack() as stack:
            database = open_database(settings.database_url, settings.database_connections)
            stack.callback(database.close)
            replica = None
            if settings.database_replica_url:
                replica = open_replica(settings.database_replica_url, settings.database_connections)
                stack.callback(replica.close)
            rpc = RpcClient(settings.rpc_url, settings.rpc_timeout_s)
            stack.callback(rpc.close)
            node = cls(settings, database, rpc, replica)
            stack.callback(node.uploads.close)
            indexer = Indexer(
                rpc,
                database,
                node.deployments,
                more_endpoints=settings.more_rpc_urls,
                websocket_url=settings.heads_url,
                timeout_s=settings.rpc_timeout_s,
                confirmation_depth=settings.confirmation_depth,
                safe_depth=settings.safe_depth,
                finality_depth=settings.finality_depth,
                poll_interval_s=settings.poll_interval_s,
                jobs_changed=node.jobs_changed,
                metrics=node.metrics,
            )
            node.indexer = IndexerThread(indexer.run)
            node.indexer.start()
            stack.callback(node.indexer.stop)
            yield node

    def sweep_content(
        self, needed: Iterable[Bytes32], *, alone: Iterable[Bytes32] = (), now: float, dry: bool
    ) -> Swept:
        """Drop content that is not reached from the documents that are needed; those that are needed ``alone``, and the node's own examples, stay."""
        own = [file.cid for example in self.examples for file in (example.module, *example.inputs)]
        own += [file.cid for command in self.commands for file in (*command.artifacts, *command.inputs)]
        return sweep(self.content.store, needed, own, alone=alone, now=now, dry=dry)

    def clock(self) -> int:
        """The chain's time, as far as it is folded; the machine's before the first block."""
        folded = self.ledger.folded()
        return folded.timestamp if folded and folded.timestamp else int(time.time())

    def status(self) -> NodeStatus:
        """How it is."""
        folded = self.ledger.folded()
        indexed = IndexedBlock(folded.number, folded.hash) if folded else None
        failure = self.indexer.failure if self.indexer else None
        return node_status(self.chain, indexed, failure, self.settings.confirmation_depth)

    def audit(self) -> AuditReport:
        """Replay the chain and compare. Slow on a long chain, and one at a time."""
        return self.auditor.audit()

    def proof(self, job: str) -> bytes:
        """The proof of a trade, with the documents that this node keeps.

        Raises:
            UnknownJob: the chain has no event of it.
            ChainError: the endpoint fails, or what it answers proves nothing.
        """

        def fetch(digest: Bytes32) -> bytes | None:
            try:
                return self.content.get(content_id_of_digest(digest))
            except (ContentNotFound, ContentMismatch):
                return None

        return ProofBuilder(self.connection, self.deployments).build(parse_bytes32(job), fetch)[0]

    def jobs_changed(self, jobs: Iterable[str]) -> None:
        """Tell whoever follows these jobs. For the indexer, after its unit of work has landed."""
        if not self.feed.followed:
            return
        topics = [job_topic(job) for job in jobs]
        self.feed.publish([*topics, JOBS_TOPIC] if topics else ())

    @property
    def development_accounts(self) -> list[tuple[str, Address]]:
        """Accounts of the page's built-in wallet: on development chains, on loopback, and nowhere else."""
        if not self.settings.development or not _is_loopback(self.settings.host):
            return []
        pairs = (entry.partition("=") for entry in self.settings.development_accounts)
        return [(label, parse_address(address)) for label, _, address in pairs]

    def _committees(self) -> list[Address]:
        named = (made.contracts.get("VerifierCommittee") for made in self.deployments.generations)
        return [committee for committee in named if committee is not None]

    def _members_of(self, verifier: Address) -> tuple[Address, ...]:
        if verifier != self.deployments.newest.contracts.get("VerifierCommittee"):
            return ()
        committee = self.chain.committee()
        return committee.members if committee else ()

    def _bench_of(self, job: Bytes32, verifier: Address) -> Bench:
        committee = self.chain.committee()
        if committee is None or verifier != committee.address:
            return Bench()
        return Bench(committee.threshold, self.chain.panel(job))


def run_node(settings: NodeSettings) -> None:
    """Serve until a signal ends it. Blocks.

    Raises:
        DeploymentMissing: nothing is deployed on the chain.
        StoreError: the database cannot be opened.
    """
    # What would keep it from starting is said before the server starts, in one line.
    read_deployments(settings.deployments_dir, settings.chain_number)
    # By name, as a server loads any application: services do not know the API above them.
    application = importlib.import_module("computility.api.app").create_app(settings)
    config = uvicorn.Config(
        application,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_STOP_SERVING_WITHIN_S,
        limit_concurrency=1_000,
    )
    uvicorn.Server(config).run()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
