// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {Custody} from "./escrow/Custody.sol";
import {Governance} from "./escrow/Governance.sol";
import {ICreditScores} from "./interfaces/ICreditScores.sol";
import {IJobEscrow} from "./interfaces/IJobEscrow.sol";
import {IProviderRegistry} from "./interfaces/IProviderRegistry.sol";
import {ITradeGuard} from "./interfaces/ITradeGuard.sol";
import {JobPacking, JobSlot} from "./libraries/JobSlot.sol";
import {Payout} from "./libraries/Payout.sol";
import {RatesSlot} from "./libraries/RatesSlot.sol";
import {SignatureCheck} from "./libraries/SignatureCheck.sol";
import {StructHash} from "./libraries/StructHash.sol";
import {Account} from "./types/Account.sol";
import {Attestation, Verdict} from "./types/Attestation.sol";
import {ClosedJob, ClosedJobPacking} from "./libraries/ClosedJob.sol";
import {ClosedBy, Job, JobState, Outcome} from "./types/Job.sol";
import {JobId} from "./types/JobId.sol";
import {Parameters} from "./types/Parameters.sol";
import {Ruling} from "./types/Ruling.sol";
import {Settlement} from "./types/Settlement.sol";
import {Signatures} from "./types/Signatures.sol";
import {Terms} from "./types/Terms.sol";

/// @notice The life of a job. `Custody` has the balances, `Governance` the parameters, the libraries packing, hashing, signatures and the
/// split; `IJobEscrow` is the manual. Long on purpose: every transition of a job, read from top to bottom.
contract JobEscrow is Custody, Governance, EIP712 {
    using Payout for Terms;
    using StructHash for Terms;
    using StructHash for Attestation;
    using StructHash for Settlement;
    using StructHash for Ruling;

    /// @inheritdoc IJobEscrow
    uint32 public constant MAX_WINDOW = 30 days;
    /// @inheritdoc IJobEscrow
    uint32 public constant MAX_DURATION = 366 days;

    uint16 private constant FULL_BPS = 10_000;
    uint256 private constant GUARD_GAS = 500_000;

    /// @inheritdoc IJobEscrow
    address public immutable registry;
    /// @inheritdoc IJobEscrow
    address public immutable scores;
    mapping(JobId job => JobSlot) private _jobs;

    constructor(address credit_, address registry_, address scores_, address owner_, Parameters memory parameters_)
        Custody(credit_)
        Governance(owner_, parameters_)
        EIP712("Computility", "1")
    {
        if (credit_ == address(0) || registry_ == address(0) || scores_ == address(0)) revert ZeroAddress();
        registry = registry_;
        scores = scores_;
    }

    // ---------------------------------------------------------------- open

    /// @inheritdoc IJobEscrow
    function open(Terms calldata terms, Signatures calldata signatures) external {
        _open(terms, signatures);
    }

    /// @inheritdoc IJobEscrow
    function openFromWallet(Terms calldata terms, Signatures calldata signatures) external {
        _open(terms, signatures);
    }

    /// @inheritdoc IJobEscrow
    function openWithPermit(
        Terms calldata terms,
        Signatures calldata signatures,
        uint256 permitDeadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        _permit(terms.payer, terms.escrowOf(), permitDeadline, v, r, s);
        _open(terms, signatures);
    }

    function _open(Terms calldata terms, Signatures calldata signatures) private {
        JobId id = jobIdOf(terms);
        if (JobSlot.unwrap(_jobs[id]) != 0) {
            Job memory known = _jobs[id].unpack();
            revert WrongState(known.state, known.outcome);
        }
        RatesSlot rates = _rates;
        if (rates.paused()) revert OpeningPaused();
        _requireRolesApart(terms);
        _requireTimes(terms, rates.minDisputeWindow());
        if (terms.maxUnits == 0 || terms.minUnits > terms.maxUnits) {
            revert UnitsOutOfRange(terms.maxUnits, terms.minUnits > 0 ? terms.minUnits : 1, type(uint64).max);
        }
        uint104 escrow = terms.escrowOf();
        bool fromWallet = msg.sig != IJobEscrow.open.selector;
        uint16 feeBps = _requireRates(terms, rates);
        if (terms.guard != address(0)) _requireAdmission(id, terms);

        Account memory payer = _load(terms.payer);
        Account memory provider = _load(terms.provider);
        _requireOpener(terms, id, terms.payer, payer, terms.payer == terms.buyer ? signatures.buyer : signatures.payer);
        if (terms.buyer != terms.payer) {
            _requireOpener(terms, id, terms.buyer, _load(terms.buyer), signatures.buyer);
        }
        _requireOpener(terms, id, terms.provider, provider, signatures.provider);

        if (!fromWallet) _takeFree(payer, terms.payer, escrow);
        payer.locked += escrow;
        _store(terms.payer, payer);
        _takeFree(provider, terms.provider, terms.bond);
        provider.locked += terms.bond;
        _store(terms.provider, provider);

        Job memory job;
        job.state = JobState.Open;
        job.feeBps = feeBps;
        job.deadline = terms.end;
        job.qualityBps = FULL_BPS;
        job.openedIn = uint40(block.number);
        _jobs[id] = JobPacking.pack(job);

        emit JobOpened(id, terms.buyer, terms.provider, terms, feeBps, escrow, fromWallet ? escrow : 0);
        if (fromWallet) _pull(terms.payer, escrow);
    }

    function _requireRolesApart(Terms calldata terms) private pure {
        address provider = terms.provider;
        if (provider == terms.buyer || provider == terms.payer || provider == terms.verifier) {
            revert RolesConflict(provider);
        }
        address arbiter = terms.arbiter;
        if (arbiter == address(0)) return;
        if (arbiter == provider || arbiter == terms.buyer || arbiter == terms.payer || arbiter == terms.verifier) {
            revert RolesConflict(arbiter);
        }
    }

    function _requireTimes(Terms calldata terms, uint32 minDisputeWindow) private view {
        if (block.timestamp > terms.openBy) revert TooLate(block.timestamp, terms.openBy);
        uint256 latestEnd = block.timestamp + MAX_DURATION;
        if (terms.end <= terms.openBy || terms.end > latestEnd) {
            revert EndOutOfRange(terms.end, uint256(terms.openBy) + 1, latestEnd);
        }
        if (terms.disputeWindow < minDisputeWindow || terms.disputeWindow > MAX_WINDOW) {
            revert WindowOutOfRange(terms.disputeWindow, minDisputeWindow, MAX_WINDOW);
        }
        if (terms.passWindow > MAX_WINDOW) revert WindowOutOfRange(terms.passWindow, 0, MAX_WINDOW);
        if (terms.rulingWindow > MAX_WINDOW) revert WindowOutOfRange(terms.rulingWindow, 0, MAX_WINDOW);
    }

    /// @dev The provider's standing: listed, and by tier its fee and the least bond.
    function _requireRates(Terms calldata terms, RatesSlot rates) private view returns (uint16 feeBps) {
        if (!IProviderRegistry(registry).isActive(terms.provider)) revert ProviderNotActive(terms.provider);
        uint8 tier = ICreditScores(scores).tierOf(terms.provider);
        feeBps = rates.feeBps(tier);
        if (feeBps > terms.maxFeeBps) revert FeeTooHigh(feeBps, terms.maxFeeBps);
        uint256 demanded = Payout.shareDown(terms.chargeOf(terms.maxUnits), rates.bondBps(tier));
        if (demanded < terms.arbiterFee) demanded = terms.arbiterFee;
        if (terms.bond < demanded) revert BondTooSmall(terms.bond, demanded);
    }

    function _requireAdmission(JobId id, Terms calldata terms) private view {
        bytes memory question = abi.encodeCall(ITradeGuard.admits, (id, terms));
        address guard = terms.guard;
        bytes32 expected = bytes32(ITradeGuard.admits.selector);
        bool admitted;
        assembly ("memory-safe") {
            let answered := staticcall(GUARD_GAS, guard, add(question, 0x20), mload(question), 0x00, 0x20)
            admitted := and(and(answered, gt(returndatasize(), 0x1f)), eq(mload(0x00), expected))
        }
        if (!admitted) revert RefusedByGuard(guard);
    }

    function _requireOpener(
        Terms calldata terms,
        JobId id,
        address party,
        Account memory account,
        bytes calldata signature
    ) private view {
        uint48 nonce = terms.nonce;
        if (nonce > MAX_NONCE) revert NonceOutOfRange(nonce, 0, MAX_NONCE);
        if (nonce < account.minNonce) revert NonceCancelled(party, nonce, account.minNonce);
        _requireParty(party, account.optedIn, JobId.unwrap(id), signature);
    }

    // ---------------------------------------------------------------- attest

    /// @inheritdoc IJobEscrow
    function attest(Terms calldata terms, Attestation calldata attestation, bytes calldata signature) external {
        _attest(terms, attestation, signature);
    }

    /// @inheritdoc IJobEscrow
    function attestToWallet(Terms calldata terms, Attestation calldata attestation, bytes calldata signature) external {
        _attest(terms, attestation, signature);
    }

    function _attest(Terms calldata terms, Attestation calldata attestation, bytes calldata signature) private {
        (JobId id, Job memory job) = _live(terms);
        if (attestation.job != id) revert WrongJob(attestation.job, id);
        _requireInTime(job);
        _requireUnits(attestation.units, 0, terms.maxUnits);
        if (attestation.qualityBps > FULL_BPS) revert ShareTooLarge(attestation.qualityBps, FULL_BPS);
        _requireNamed(terms.verifier, attestationDigest(attestation), signature);

        bool closes;
        if (attestation.verdict == Verdict.Pass) {
            closes = _pass(terms, job, attestation);
        } else if (attestation.verdict == Verdict.Fail) {
            if (!_nothingFinal(job)) revert WrongState(job.state, job.outcome);
            _await(job, Outcome.Fail, 0, terms.disputeWindow);
            job.qualityBps = attestation.qualityBps;
        } else {
            if (job.state != JobState.Open) revert WrongState(job.state, job.outcome);
            _await(job, Outcome.NoFault, 0, terms.disputeWindow);
        }

        emit JobAttested(
            id,
            attestation.verdict,
            attestation.result,
            attestation.units,
            attestation.isFinal,
            attestation.qualityBps,
            attestation.meterRoot,
            attestation.evidence,
            job.accepted,
            job.outcome,
            job.pending,
            job.deadline
        );
        if (closes) _closePaying(terms, id, job, ClosedBy.Attested, job.pending);
        else _jobs[id] = JobPacking.pack(job);
    }

    /// @dev Applies a pass to `job` in memory. True if it pays at once.
    function _pass(Terms calldata terms, Job memory job, Attestation calldata attestation)
        private
        view
        returns (bool closes)
    {
        bool own = _isOwn(terms);
        if (attestation.isFinal) {
            bool fromProvider = msg.sender == terms.provider;
            bool overtakes = own && fromProvider && job.state == JobState.Pending && job.outcome == Outcome.Pass
                && attestation.units > job.pending;
            if (overtakes || _nothingFinal(job)) {
                closes = own ? fromProvider : terms.passWindow == 0;
                uint64 payable_ = _max(_max(attestation.units, job.accepted), terms.minUnits);
                _await(job, Outcome.Pass, payable_, closes ? 0 : own ? terms.disputeWindow : terms.passWindow);
                job.qualityBps = attestation.qualityBps;
                return closes;
            }
            // What the buyer or payer signed late still counts, but only as a reading.
            if (!own) revert WrongState(job.state, job.outcome);
        }
        // A reading cannot be contested any more, so it must not get round a pass window.
        if (!own && terms.passWindow != 0) revert ReadingNeedsNoPassWindow(terms.passWindow);
        if (attestation.units <= job.accepted) revert UnitsNotRising(attestation.units, job.accepted);
        job.accepted = attestation.units;
    }

    // ---------------------------------------------------------------- propose and finalize

    /// @inheritdoc IJobEscrow
    function propose(Terms calldata terms, uint64 units, bytes32 result) external {
        (JobId id, Job memory job) = _live(terms);
        if (msg.sender != terms.provider) revert CallerNotProvider(msg.sender, terms.provider);
        bool possible = job.state == JobState.Open || (job.state == JobState.Pending && job.outcome == Outcome.NoFault);
        if (!possible) revert WrongState(job.state, job.outcome);
        _requireInTime(job);
        _requireUnits(units, job.accepted, terms.maxUnits);
        // Resolved now: a later reading then cannot turn a claim into a mere excuse, nor an excuse into a claim.
        uint64 payable_ = units > job.accepted ? _max(units, terms.minUnits) : units;
        _await(job, Outcome.Claim, payable_, terms.disputeWindow);
        _jobs[id] = JobPacking.pack(job);
        emit JobProposed(id, payable_, result, job.deadline);
    }

    /// @inheritdoc IJobEscrow
    function finalize(Terms calldata terms) external {
        _finalize(terms);
    }

    /// @inheritdoc IJobEscrow
    function finalizeToWallet(Terms calldata terms) external {
        _finalize(terms);
    }

    function _finalize(Terms calldata terms) private {
        (JobId id, Job memory job) = _live(terms);
        if (job.state == JobState.Open) revert WrongState(job.state, job.outcome);
        _requireOver(job);
        if (job.state == JobState.Disputed) {
            _closePaying(terms, id, job, ClosedBy.DisputedByDefault, job.accepted);
        } else if (job.outcome == Outcome.Fail && !_isOwn(terms)) {
            _closeSlashing(terms, id, job, ClosedBy.Finalized, terms.undeliveredBondDown(job.accepted));
        } else {
            // After a fail, or without fault, nothing is pending, so that what was accepted is paid.
            _closePaying(terms, id, job, ClosedBy.Finalized, _max(job.pending, job.accepted));
        }
    }

    // ---------------------------------------------------------------- reclaim

    /// @inheritdoc IJobEscrow
    function reclaim(Terms calldata terms) external {
        _reclaim(terms);
    }

    /// @inheritdoc IJobEscrow
    function reclaimToWallet(Terms calldata terms) external {
        _reclaim(terms);
    }

    function _reclaim(Terms calldata terms) private {
        (JobId id, Job memory job) = _live(terms);
        if (job.state != JobState.Open) revert WrongState(job.state, job.outcome);
        _requireOver(job);
        if (job.accepted == 0) _closeSlashing(terms, id, job, ClosedBy.Reclaimed, terms.bond);
        else _closePaying(terms, id, job, ClosedBy.Reclaimed, job.accepted);
    }

    // ---------------------------------------------------------------- dispute and rule

    /// @inheritdoc IJobEscrow
    function dispute(Terms calldata terms) external {
        (JobId id, Job memory job) = _live(terms);
        _requireCallerParty(terms);
        if (job.state != JobState.Pending) revert WrongState(job.state, job.outcome);
        _requireInTime(job);
        bool arbitrated = terms.arbiter != address(0);
        job.state = JobState.Disputed;
        job.deadline = uint40(block.timestamp + (arbitrated ? terms.rulingWindow : 0));
        emit JobDisputed(id, msg.sender, job.deadline);
        if (arbitrated) _jobs[id] = JobPacking.pack(job);
        else _closePaying(terms, id, job, ClosedBy.DisputedByDefault, job.accepted);
    }

    /// @inheritdoc IJobEscrow
    function rule(Terms calldata terms, Ruling calldata ruling, bytes calldata signature) external {
        (JobId id, Job memory job) = _live(terms);
        if (ruling.job != id) revert WrongJob(ruling.job, id);
        if (job.state != JobState.Disputed) revert WrongState(job.state, job.outcome);
        _requireInTime(job);
        _requireUnits(ruling.units, 0, terms.maxUnits);
        if (ruling.slashBps > FULL_BPS) revert ShareTooLarge(ruling.slashBps, FULL_BPS);
        if (ruling.costBps > FULL_BPS) revert ShareTooLarge(ruling.costBps, FULL_BPS);
        _requireNamed(terms.arbiter, rulingDigest(ruling), signature);

        emit JobRuled(id, ruling.units, ruling.slashBps, ruling.costBps);
        Payout.Ending memory ending;
        ending.cause = ClosedBy.Ruled;
        ending.units = _max(ruling.units, job.accepted);
        ending.arbiterEarned = true;
        ending.costBps = ruling.costBps;
        ending.failed = ruling.slashBps > 0;
        // Only the buyer's side disputes a claim or signs an own fail, so what frees the bond of all cost went against it.
        ending.buyerLost = ruling.slashBps == 0 && ruling.costBps == 0
            && (job.outcome == Outcome.Claim || (job.outcome == Outcome.Fail && _isOwn(terms)));
        ending.slashWanted = uint104(Payout.shareDown(terms.bond, ruling.slashBps));
        _close(terms, id, job, ending);
    }

    // ---------------------------------------------------------------- agree and cancel

    /// @inheritdoc IJobEscrow
    function agree(Terms calldata terms, Settlement calldata settlement, Signatures calldata signatures) external {
        (JobId id, Job memory job) = _live(terms);
        if (settlement.job != id) revert WrongJob(settlement.job, id);
        if (block.timestamp > settlement.deadline) revert TooLate(block.timestamp, settlement.deadline);
        _requireUnits(settlement.units, 0, terms.maxUnits);
        bytes32 digest = settlementDigest(settlement);
        _requireParty(terms.buyer, _load(terms.buyer).optedIn, digest, signatures.buyer);
        _requireParty(terms.provider, _load(terms.provider).optedIn, digest, signatures.provider);
        if (settlement.units > job.accepted && terms.payer != terms.buyer) {
            _requireParty(terms.payer, _load(terms.payer).optedIn, digest, signatures.payer);
        }
        _closePaying(terms, id, job, ClosedBy.Agreed, settlement.units);
    }

    /// @inheritdoc IJobEscrow
    function cancel(Terms calldata terms) external {
        JobId id = jobIdOf(terms);
        Job memory job = _jobs[id].unpack();
        if (job.state != JobState.None) revert WrongState(job.state, job.outcome);
        _requireCallerParty(terms);
        job.state = JobState.Closed;
        job.closedBy = ClosedBy.Cancelled;
        _jobs[id] = JobPacking.pack(job);
        emit JobCancelled(id, msg.sender);
    }

    // ---------------------------------------------------------------- close

    /// @dev Pays `units` and frees the bond.
    function _closePaying(Terms calldata terms, JobId id, Job memory job, ClosedBy cause, uint64 units) private {
        Payout.Ending memory ending;
        ending.cause = cause;
        ending.units = units;
        _close(terms, id, job, ending);
    }

    /// @dev The provider was at fault: pays what was accepted and slashes the bond.
    function _closeSlashing(Terms calldata terms, JobId id, Job memory job, ClosedBy cause, uint104 slash) private {
        Payout.Ending memory ending;
        ending.cause = cause;
        ending.units = job.accepted;
        ending.failed = true;
        ending.slashWanted = slash;
        _close(terms, id, job, ending);
    }

    /// @dev The one way out: splits escrow and bond, credits everyone, scores, and pays the caller's share out if it wants so.
    function _close(Terms calldata terms, JobId id, Job memory job, Payout.Ending memory ending) private {
        // Readings raise `accepted` and are passes; pass and fail outrank the rest and are never displaced.
        ending.verifierEarned = job.accepted > 0 || job.outcome >= Outcome.Pass;
        Payout.Split memory split = terms.split(job.feeBps, ending);

        job.state = JobState.Closed;
        job.accepted = ending.units;
        job.pending = 0;
        job.deadline = 0;
        job.closedBy = ending.cause;
        job.verifierPaid = ending.verifierEarned;
        job.failed = ending.failed;
        _jobs[id] = JobPacking.pack(job);

        uint104 share = _wantsToWallet() ? _shareOfCaller(terms, split) : 0;
        _settle(terms, split);
        if (share > 0) _debit(msg.sender, share);

        emit JobClosed(
            id,
            msg.sender,
            ending.cause,
            job.outcome,
            ending.units,
            split.providerPaid,
            split.fee,
            split.refund,
            split.verifierPaid,
            split.arbiterFromEscrow,
            split.arbiterFromBond,
            split.bondReturned,
            split.bondToBuyer,
            split.bondToTreasury,
            share
        );
        ICreditScores(scores).record(terms.buyer, terms.payer, terms.provider, _scored(terms, job, ending, split.fee));
        if (share > 0) _push(msg.sender, share);
    }

    /// @dev What the scores learn of a close.
    function _scored(Terms calldata terms, Job memory job, Payout.Ending memory ending, uint104 fee)
        private
        pure
        returns (ClosedJob)
    {
        return ClosedJobPacking.pack(
            fee,
            terms.chargeOf(terms.maxUnits - ending.units),
            job.qualityBps,
            ending.cause,
            job.outcome,
            ending.failed,
            ending.buyerLost
        );
    }

    /// @dev Roles may coincide, so each leg loads what the one before stored.
    function _settle(Terms calldata terms, Payout.Split memory split) private {
        Account memory payer = _load(terms.payer);
        payer.locked -= terms.escrowOf();
        payer.free += split.refund;
        _store(terms.payer, payer);

        Account memory provider = _load(terms.provider);
        provider.locked -= terms.bond;
        provider.free += split.providerPaid + split.bondReturned;
        _store(terms.provider, provider);

        _credit(terms.verifier, split.verifierPaid);
        _credit(terms.arbiter, split.arbiterFromEscrow + split.arbiterFromBond);
        _credit(terms.buyer, split.bondToBuyer);
        _addFees(split.fee + split.bondToTreasury);
    }

    /// @dev Asked of the call itself: an argument that is constant in each caller makes the compiler clone `_close` for each.
    function _wantsToWallet() private pure returns (bool) {
        return msg.sig == IJobEscrow.attestToWallet.selector || msg.sig == IJobEscrow.finalizeToWallet.selector
            || msg.sig == IJobEscrow.reclaimToWallet.selector;
    }

    /// @dev A returned bond stays in the balance, where the next job wants it.
    function _shareOfCaller(Terms calldata terms, Payout.Split memory split) private view returns (uint104 share) {
        if (msg.sender == terms.provider) return split.providerPaid;
        if (msg.sender == terms.payer) share += split.refund;
        if (msg.sender == terms.buyer) share += split.bondToBuyer;
        if (msg.sender == terms.verifier) share += split.verifierPaid;
    }

    // ---------------------------------------------------------------- fees

    /// @inheritdoc IJobEscrow
    function collectFees() external {
        uint104 amount = fees;
        address receiver = treasury;
        fees = 0;
        emit FeesCollected(receiver, amount);
        _push(receiver, amount);
    }

    // ---------------------------------------------------------------- digests and views

    /// @inheritdoc IJobEscrow
    function jobIdOf(Terms calldata terms) public view returns (JobId) {
        return JobId.wrap(_hashTypedDataV4(terms.hash()));
    }

    /// @inheritdoc IJobEscrow
    function attestationDigest(Attestation calldata attestation) public view returns (bytes32) {
        return _hashTypedDataV4(attestation.hash());
    }

    /// @inheritdoc IJobEscrow
    function settlementDigest(Settlement calldata settlement) public view returns (bytes32) {
        return _hashTypedDataV4(settlement.hash());
    }

    /// @inheritdoc IJobEscrow
    function rulingDigest(Ruling calldata ruling) public view returns (bytes32) {
        return _hashTypedDataV4(ruling.hash());
    }

    /// @inheritdoc IJobEscrow
    function jobOf(JobId job) external view returns (Job memory) {
        return _jobs[job].unpack();
    }

    // ---------------------------------------------------------------- what transitions ask

    /// @dev The job that these terms opened, while it lives.
    function _live(Terms calldata terms) private view returns (JobId id, Job memory job) {
        id = jobIdOf(terms);
        job = _jobs[id].unpack();
        if (job.state == JobState.None || job.state == JobState.Closed) revert WrongState(job.state, job.outcome);
    }

    /// @dev Starts a window over `outcome`. In memory only.
    function _await(Job memory job, Outcome outcome, uint64 pending, uint32 window) private view {
        job.state = JobState.Pending;
        job.outcome = outcome;
        job.pending = pending;
        job.deadline = uint40(block.timestamp + window);
    }

    /// @dev Open, or pending with an outcome that a final pass or fail displaces.
    function _nothingFinal(Job memory job) private pure returns (bool) {
        return job.state == JobState.Open || (job.state == JobState.Pending && job.outcome < Outcome.Pass);
    }

    function _isOwn(Terms calldata terms) private pure returns (bool) {
        return terms.verifier == terms.buyer || terms.verifier == terms.payer;
    }

    function _requireInTime(Job memory job) private view {
        if (block.timestamp > job.deadline) revert TooLate(block.timestamp, job.deadline);
    }

    function _requireOver(Job memory job) private view {
        if (block.timestamp <= job.deadline) revert TooEarly(block.timestamp, job.deadline);
    }

    function _requireUnits(uint64 units, uint64 low, uint64 high) private pure {
        if (units < low || units > high) revert UnitsOutOfRange(units, low, high);
    }

    function _requireCallerParty(Terms calldata terms) private view {
        if (msg.sender != terms.buyer && msg.sender != terms.payer && msg.sender != terms.provider) {
            revert CallerNotParty(msg.sender);
        }
    }

    /// @dev Buyer, payer or provider, whose ERC-1271 answer needs its consent.
    function _requireParty(address party, bool optedIn, bytes32 digest, bytes calldata signature) private view {
        if (msg.sender == party || SignatureCheck.signedByKey(party, digest, signature)) return;
        if (!SignatureCheck.signedByContract(party, digest, signature)) revert NotAuthorised(party);
        if (!optedIn) revert ConsentMissing(party);
    }

    /// @dev Verifier or arbiter, whose word the parties chose to trust.
    function _requireNamed(address named, bytes32 digest, bytes calldata signature) private view {
        if (msg.sender == named || SignatureCheck.signedByKey(named, digest, signature)) return;
        if (!SignatureCheck.signedByContract(named, digest, signature)) revert NotAuthorised(named);
    }

    function _max(uint64 a, uint64 b) private pure returns (uint64) {
        return a > b ? a : b;
    }
}
