"""Every error that Computility raises on purpose, in one tree.

Long on purpose, so that the tree and its leaves stand in one place.

    ComputilityError
    ├── InvalidMessage            a value, message or setting that does not fit its form
    │   ├── AmountOutOfRange · InvalidIdentifier · InvalidResource
    │   ├── InvalidJobSpecification · InvalidEnvironmentClass
    │   └── InvalidManifest · InvalidEvidence · InvalidExcuse · InvalidServiceLevel
    ├── InvalidSignature
    ├── InvalidProof              a proof that does not prove what it claims
    ├── StatementRefused          well-formed, signed, and still not acceptable
    │   ├── SignerMismatch · WrongDomain · StatementExpired
    │   └── TermsMismatch · QuoteRefused · ProviderNotActive
    ├── NotFound
    │   └── UnknownAsk · UnknownQuoteRequest · UnknownQuote · UnknownJob · UnknownProvider
    ├── Conflict                  another statement came first
    ├── LimitReached · NodeBusy · QuotaExceeded
    ├── ChainError
    │   ├── ChainUnavailable (ChainSilent) · ChainMisbehaved (AnswerTooLarge · EndpointsDisagree) · WrongChain · ChainReplaced · RpcRefused
    │   └── ContractReverted · InsufficientFunds · TransactionNotMined · DeploymentMissing · ChainNotAllowed
    ├── NodeError                 what a client says of its node
    │   └── NodeUnavailable · NodeMisbehaved · NodeRefused
    ├── ContentError
    │   └── ContentMismatch (SealedInputUnfit) · ContentTooLarge · ContentNotFound · JobExcused
    ├── ExecutionError
    │   ├── JobFault              the job's own fault, the same on every machine of its class
    │   │   ├── ModuleTooLarge · ModuleMalformed · ImportNotOffered
    │   │   ├── JobTrapped · FuelExhausted · MemoryExhausted
    │   │   └── OutputTooLarge · JobFailed
    │   └── ExecutorFailed        this machine could not tell
    │       ├── EnvironmentMismatch · WallClockExceeded (JobTimeExceeded)
    │       ├── HostMemoryExhausted (JobMemoryExceeded) · ExecutorCrashed
    │       └── ExecutorBusy · ExecutorUnfit · RunCancelled · LeaseEnded · NotAReader (BoxUnfit)
    ├── KeystoreError
    └── StoreError (StoreMoved · StoreFailed · RowsExist)

Each class has a ``code``, a slug that programs may rely on; the message says what is wrong and what to do. Only the edges (``api``,
``cli``) know statuses and exit codes.
"""

from __future__ import annotations

from typing import ClassVar


class ComputilityError(Exception):
    """The root. The message is for people, ``code`` for programs."""

    code: ClassVar[str] = "error"


class InvalidMessage(ComputilityError):
    """A value, message or setting that does not fit its form."""

    code = "invalid-message"


class AmountOutOfRange(InvalidMessage):
    """Not an integer amount within its bounds."""

    code = "amount-out-of-range"


class InvalidIdentifier(InvalidMessage):
    """Not an address, a 32-byte hash or a chain id."""

    code = "invalid-identifier"


class InvalidResource(InvalidMessage):
    """Not a canonical compute identifier."""

    code = "invalid-resource"


class InvalidJobSpecification(InvalidMessage):
    """Not a canonical job specification of a version that is known here."""

    code = "invalid-job-specification"


class InvalidEnvironmentClass(InvalidMessage):
    """Not an environment class."""

    code = "invalid-environment-class"


class InvalidManifest(InvalidMessage):
    """Not a canonical output manifest."""

    code = "invalid-manifest"


class InvalidExcuse(InvalidMessage):
    """Not the canonical document of an excuse."""

    code = "invalid-excuse"


class InvalidServiceLevel(InvalidMessage):
    """Not a template of service levels of its form."""

    code = "invalid-service-level"


class InvalidEvidence(InvalidMessage):
    """Not a canonical evidence bundle."""

    code = "invalid-evidence"


class InvalidSignature(ComputilityError):
    """Not a signature, or not over this digest."""

    code = "invalid-signature"


class InvalidProof(ComputilityError):
    """A header, trie or bundle that does not prove what it claims."""

    code = "invalid-proof"


class StatementRefused(ComputilityError):
    """Well-formed and signed, and still not acceptable."""

    code = "statement-refused"


class SignerMismatch(StatementRefused):
    """Signed by somebody else than the message names."""

    code = "signer-mismatch"


class WrongDomain(StatementRefused):
    """Signed for another chain or another escrow."""

    code = "wrong-domain"


class StatementExpired(StatementRefused):
    """Its time is over."""

    code = "expired"


class TermsMismatch(StatementRefused):
    """The terms differ from what was asked for, in the field that the message names."""

    code = "terms-mismatch"


class QuoteRefused(StatementRefused):
    """The provider does not quote. ``reason`` is a slug, as a refusal carries it."""

    code = "quote-refused"

    def __init__(self, message: str, reason: str = "quote-refused") -> None:
        super().__init__(message)
        self.reason = reason


class ProviderNotActive(StatementRefused):
    """The provider is not registered, or is on its way out."""

    code = "provider-not-active"


class ProviderExcluded(StatementRefused):
    """A fail of the committee's stood against the provider not long ago."""

    code = "provider-excluded"


class NotFound(ComputilityError):
    """Nothing is known by this name."""

    code = "not-found"


class UnknownAsk(NotFound):
    """No such ask, or it is no longer open."""

    code = "unknown-ask"


class UnknownQuoteRequest(NotFound):
    """No such quote request."""

    code = "unknown-quote-request"


class UnknownQuote(NotFound):
    """No quote by this job id."""

    code = "unknown-quote"


class UnknownProvider(NotFound):
    """This account never registered as a provider."""

    code = "unknown-provider"


class UnknownJob(NotFound):
    """No such job on this chain."""

    code = "unknown-job"


class UnknownDispute(NotFound):
    """No such dispute before the newest panel."""

    code = "unknown-dispute"


class Conflict(ComputilityError):
    """Another statement came first, and the first wins."""

    code = "conflict"


class LimitReached(ComputilityError):
    """One party has used up what it may have at one time."""

    code = "limit-reached"


class NodeBusy(ComputilityError):
    """The node serves as many as it allows."""

    code = "node-busy"


class QuotaExceeded(ComputilityError):
    """The node's store is full."""

    code = "quota-exceeded"


class ChainError(ComputilityError):
    """The chain, or the way to it."""

    code = "chain-error"


class ChainUnavailable(ChainError):
    """The endpoint does not answer in time."""

    code = "chain-unavailable"


class ChainSilent(ChainUnavailable):
    """The endpoint took the request, and did not answer within the time limit."""

    code = "chain-silent"


class ChainMisbehaved(ChainError):
    """The endpoint answers with something that no chain endpoint should."""

    code = "chain-misbehaved"


class AnswerTooLarge(ChainMisbehaved):
    """The endpoint answers with more bytes than are taken: ask for less."""

    code = "answer-too-large"


class EndpointsDisagree(ChainMisbehaved):
    """Two endpoints tell of different blocks at a height that both call final."""

    code = "endpoints-disagree"


class WrongChain(ChainError):
    """The endpoint serves another chain than the one configured."""

    code = "wrong-chain"


class ChainReplaced(ChainError):
    """The chain no longer has the history that was indexed, back to its first block."""

    code = "chain-replaced"


class RpcRefused(ChainError):
    """The endpoint answered a call with a JSON-RPC error; ``data`` may hold what a contract reverted with."""

    code = "rpc-refused"

    def __init__(self, message: str, rpc_code: int = 0, data: object = None) -> None:
        super().__init__(message)
        self.rpc_code = rpc_code
        self.data = data


class ContractReverted(ChainError):
    """A contract refused a call. ``name`` and ``arguments`` are its custom error."""

    code = "contract-reverted"

    def __init__(self, message: str, name: str = "", arguments: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.name = name
        self.arguments = arguments or {}


class InsufficientFunds(ChainError):
    """Too little balance or allowance, or no coin for gas."""

    code = "insufficient-funds"


class TransactionNotMined(ChainError):
    """A transaction was sent and no receipt came in time."""

    code = "transaction-not-mined"


class DeploymentMissing(ChainError):
    """No deployment is recorded for the chain."""

    code = "deployment-missing"


class ChainNotAllowed(ChainError):
    """The operation is for development chains only."""

    code = "chain-not-allowed"


class NodeError(ComputilityError):
    """What a client says of its node."""

    code = "node-error"


class NodeUnavailable(NodeError):
    """The node does not answer in time."""

    code = "node-unavailable"


class NodeMisbehaved(NodeError):
    """The node's answer does not fit the API."""

    code = "node-misbehaved"


class NodeRefused(NodeError):
    """The node answered with a problem; ``problem_code`` and ``status`` are its own."""

    code = "node-refused"

    def __init__(self, message: str, problem_code: str = "", status: int = 0) -> None:
        super().__init__(message)
        self.problem_code = problem_code
        self.status = status


class KeystoreError(ComputilityError):
    """A keystore file or its password."""

    code = "keystore-error"


class StoreError(ComputilityError):
    """The database."""

    code = "store-error"


class StoreMoved(StoreError):
    """Another process wrote where only one may."""

    code = "store-moved"


class StoreFailed(StoreError):
    """The database does not do what it is asked: its disk is full, it was restarted, it is gone. Nothing has changed then."""

    code = "store-failed"


class RowsExist(StoreError):
    """A row that should be new is there already."""

    code = "rows-exist"


class ContentError(ComputilityError):
    """Content that is named by its hash."""

    code = "content-error"


class ContentMismatch(ContentError):
    """The bytes do not have the hash that names them."""

    code = "content-mismatch"


class SealedInputUnfit(ContentMismatch):
    """A sealed input has the hash that its job names, and does not open with the job's key: its buyer sealed something else."""

    code = "sealed-input-unfit"


class ContentTooLarge(ContentError):
    """More bytes than are allowed here."""

    code = "content-too-large"


class ContentNotFound(ContentError):
    """No content by this name."""

    code = "content-not-found"


class JobExcused(ContentNotFound):
    """The job has no outputs: its provider handed it back, for the reason that the message tells."""

    code = "job-excused"


class ExecutionError(ComputilityError):
    """A job did not run to its end."""

    code = "execution-error"


class JobFault(ExecutionError):
    """The job's own fault: every machine of its environment class comes to the same end."""

    code = "job-fault"


class ModuleTooLarge(JobFault):
    """The program has more bytes than the environment class takes."""

    code = "module-too-large"


class ModuleMalformed(JobFault):
    """The program is not a valid WebAssembly module, or not one that can be started."""

    code = "module-malformed"


class ImportNotOffered(JobFault):
    """The program imports what the sandbox does not offer."""

    code = "import-not-offered"


class JobTrapped(JobFault):
    """The program trapped."""

    code = "job-trapped"


class FuelExhausted(JobFault):
    """The program used up its fuel."""

    code = "fuel-exhausted"


class MemoryExhausted(JobFault):
    """The program wants more memory than its specification allows."""

    code = "memory-exhausted"


class OutputTooLarge(JobFault):
    """The program wrote more bytes or files than its specification allows."""

    code = "output-too-large"


class JobFailed(JobFault):
    """The program ended with an exit code other than zero."""

    code = "job-failed"


class ExecutorFailed(ExecutionError):
    """This machine could not run the job to its end: nothing is said of the job. A verifier answers *no fault*."""

    code = "executor-failed"


class EnvironmentMismatch(ExecutorFailed):
    """The job asks for another environment class than this executor's."""

    code = "environment-mismatch"


class WallClockExceeded(ExecutorFailed):
    """This machine took longer than its operator allows."""

    code = "wall-clock-exceeded"


class JobTimeExceeded(WallClockExceeded):
    """The job took longer than its own specification allows. How long a machine takes is no fault of the job; but another try would take as long."""

    code = "job-time-exceeded"


class HostMemoryExhausted(ExecutorFailed):
    """This machine has less memory than the job may use."""

    code = "host-memory-exhausted"


class JobMemoryExceeded(HostMemoryExhausted):
    """The job used more memory than its own specification allows. Another try would, too."""

    code = "job-memory-exceeded"


class ExecutorCrashed(ExecutorFailed):
    """The sandbox process died."""

    code = "executor-crashed"


class ExecutorBusy(ExecutorFailed):
    """This machine runs as many jobs as it takes."""

    code = "executor-busy"


class ExecutorUnfit(ExecutorFailed):
    """What should hold a job on this machine does not: it runs nothing."""

    code = "executor-unfit"


class RunCancelled(ExecutorFailed):
    """Somebody on this side ended the run."""

    code = "run-cancelled"


class LeaseEnded(ExecutorFailed):
    """A metered lease was over before its job was. ``reason`` is a slug."""

    code = "lease-ended"

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class NotAReader(ExecutorFailed):
    """The job is sealed, and this machine's key is not among its readers."""

    code = "not-a-reader"


class BoxUnfit(NotAReader):
    """The job names this machine's key, and what it has for it is no key to this job."""

    code = "box-unfit"
