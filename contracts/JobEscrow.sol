// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {Batches} from "./escrow/Batches.sol";
import {Collateral} from "./escrow/Collateral.sol";
import {Custody} from "./escrow/Custody.sol";
import {Governance} from "./escrow/Governance.sol";
import {Standings} from "./escrow/Standings.sol";
import {IJobEscrow} from "./interfaces/IJobEscrow.sol";
import {ITradeGuard} from "./interfaces/ITradeGuard.sol";
import {AccountSlot} from "./libraries/AccountSlot.sol";
import {JobPacking, JobSlot} from "./libraries/JobSlot.sol";
import {Payout} from "./libraries/Payout.sol";
import {RatesSlot} from "./libraries/RatesSlot.sol";
import {SignatureCheck} from "./libraries/SignatureCheck.sol";
import {StructHash} from "./libraries/StructHash.sol";
import {Attestation, Verdict} from "./types/Attestation.sol";
import {ClosedJobPacking} from "./libraries/ClosedJob.sol";
import {ClosedBy, Job, JobState, Outcome} from "./types/Job.sol";
import {JobId} from "./types/JobId.sol";
import {Parameters} from "./types/Parameters.sol";
import {Ruling} from "./types/Ruling.sol";
import {Settlement} from "./types/Settlement.sol";
import {Signatures} from "./types/Signatures.sol";
import {Terms} from "./types/Terms.sol";
import {TermsInHand, TermsRef} from "./types/TermsRef.sol";

/// @notice The life of a job. `Custody` has the balances, `Collateral` the stake behind bonds, `Standings` the scores, `Governance` the parameters,
/// `Batches` many calls in one; the libraries packing, hashing, signatures and the split; `IJobEscrow` is the manual. Long on purpose: every transition of a job, read from top to bottom.
contract JobEscrow is Custody, Standings, Governance, Batches, EIP712, Collateral {
    using Payout for TermsRef;
    using StructHash for Attestation;
    using StructHash for Settlement;
    using StructHash for Ruling;

    /// @inheritdoc IJobEscrow
    uint32 public constant MAX_WINDOW = 30 days;
    /// @inheritdoc IJobEscrow
    uint32 public constant MAX_DURATION = 366 days;

    uint16 private constant FULL_BPS = 10_000;
    uint256 private constant GUARD_GAS = 500_000;

    mapping(JobId job => JobSlot) private _jobs;

    constructor(address credit_, address registry_, address owner_, Parameters memory parameters_)
        Custody(credit_)
        Standings(registry_)
        Governance(owner_, parameters_)
        EIP712("Computility", "1")
    {}

    // ---------------------------------------------------------------- open

    /// @inheritdoc IJobEscrow
    function open(Terms calldata terms, Signatures calldata signatures) external {
        _open(terms, signatures);
    }

    /// @inheritdoc IJobEscrow
    function openFromWallet(Terms calldata terms, Signatures calldata signatures) external {
        _pull(terms.payer, _open(terms, signatures));
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
        _permit(credit, terms.payer, TermsInHand.take(terms).escrowOf(), permitDeadline, v, r, s);
        _pull(terms.payer, _open(terms, signatures));
    }

    /// @inheritdoc IJobEscrow
    function openFromReserve(
        Terms calldata terms,
        Signatures calldata signatures,
        uint256 permitDeadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        address payer = terms.payer;
        uint104 escrow = _open(terms, signatures);
        (address reserve, uint256 units, uint104 change) = _reserveFor(escrow);
        if (change > 0) {
            _credit(payer, change);
            emit Deposited(payer, payer, change);
        }
        _permit(reserve, payer, units, permitDeadline, v, r, s);
        _mintFrom(reserve, payer, units);
    }

    /// @dev The escrow that is locked now. Unless it came from the balance, the caller still has to bring it.
    function _open(Terms calldata given, Signatures calldata signatures) private returns (uint104 escrow) {
        TermsRef terms = TermsInHand.take(given);
        terms.requireClean();
        JobId id = _idOf(terms);
        if (JobSlot.unwrap(_jobs[id]) != 0) {
            Job memory known = _jobs[id].unpack();
            revert WrongState(known.state, known.outcome);
        }
        RatesSlot rates = _rates;
        if (rates.paused()) revert OpeningPaused();
        _requireRolesApart(terms);
        _requireTimes(terms, rates.minDisputeWindow());
        if (terms.maxUnits() == 0 || terms.minUnits() > terms.maxUnits()) {
            revert UnitsOutOfRange(terms.maxUnits(), terms.minUnits() > 0 ? terms.minUnits() : 1, type(uint64).max);
        }
        escrow = terms.escrowOf();
        (uint16 feeBps, uint256 maxLocked) = _requireRates(terms, rates);
        if (terms.guard() != address(0)) _requireAdmission(id, terms);

        bool fromWallet = msg.sig != IJobEscrow.open.selector;
        _lockEscrow(terms, id, signatures, fromWallet ? 0 : escrow, escrow);
        uint104 staked = _lockBond(terms, id, signatures.provider, maxLocked);

        _jobs[id] = JobPacking.opened(feeBps, terms.end(), block.number, staked > 0);
        if (staked > 0) _takeStake(id, terms.provider(), staked);
        terms.logOpened(IJobEscrow.JobOpened.selector, JobId.unwrap(id), feeBps, escrow, fromWallet ? escrow : 0);
    }

    /// @dev Of the escrow, `fromFree` comes from the payer's balance.
    function _lockEscrow(TermsRef terms, JobId id, Signatures calldata signatures, uint104 fromFree, uint104 escrow)
        private
    {
        (address payer, address buyer) = (terms.payer(), terms.buyer());
        Holding storage holding = _holding(payer);
        AccountSlot slot = holding.slot;
        _requireOpener(terms.nonce(), id, payer, slot, payer == buyer ? signatures.buyer : signatures.payer);
        if (buyer != payer) _requireOpener(terms.nonce(), id, buyer, _holding(buyer).slot, signatures.buyer);
        holding.slot = _taken(slot, payer, fromFree).plusLocked(escrow);
    }

    /// @dev Of the bond, `staked` is still to come from the provider's stake.
    function _lockBond(TermsRef terms, JobId id, bytes calldata signature, uint256 maxLocked)
        private
        returns (uint104 staked)
    {
        address provider = terms.provider();
        uint104 bond = terms.bond();
        Holding storage holding = _holding(provider);
        AccountSlot slot = holding.slot;
        _requireOpener(terms.nonce(), id, provider, slot, signature);
        if (slot.free() < bond) {
            staked = bond - slot.free();
            slot = slot.plusFree(staked);
        }
        slot = slot.minusFree(bond).plusLocked(bond);
        if (slot.locked() > maxLocked) revert ExposureTooLarge(provider, slot.locked(), maxLocked);
        holding.slot = slot;
    }

    function _requireRolesApart(TermsRef terms) private pure {
        address provider = terms.provider();
        if (provider == terms.buyer() || provider == terms.payer() || provider == terms.verifier()) {
            revert RolesConflict(provider);
        }
        address arbiter = terms.arbiter();
        if (arbiter == address(0)) return;
        if (arbiter == provider || arbiter == terms.buyer() || arbiter == terms.payer() || arbiter == terms.verifier())
        {
            revert RolesConflict(arbiter);
        }
    }

    function _requireTimes(TermsRef terms, uint32 minDisputeWindow) private view {
        if (block.timestamp > terms.openBy()) revert TooLate(block.timestamp, terms.openBy());
        uint256 latestEnd = block.timestamp + MAX_DURATION;
        if (terms.end() <= terms.openBy() || terms.end() > latestEnd) {
            revert EndOutOfRange(terms.end(), uint256(terms.openBy()) + 1, latestEnd);
        }
        if (terms.disputeWindow() < minDisputeWindow || terms.disputeWindow() > MAX_WINDOW) {
            revert WindowOutOfRange(terms.disputeWindow(), minDisputeWindow, MAX_WINDOW);
        }
        if (terms.passWindow() > MAX_WINDOW) revert WindowOutOfRange(terms.passWindow(), 0, MAX_WINDOW);
        if (terms.rulingWindow() > MAX_WINDOW) revert WindowOutOfRange(terms.rulingWindow(), 0, MAX_WINDOW);
    }

    /// @dev The provider's standing: listed, and by tier its fee, the least bond and the most that it may have locked.
    function _requireRates(TermsRef terms, RatesSlot rates) private view returns (uint16 feeBps, uint256 maxLocked) {
        uint256 tier = _requireListed(terms.provider());
        feeBps = rates.feeBps(tier);
        if (feeBps > terms.maxFeeBps()) revert FeeTooHigh(feeBps, terms.maxFeeBps());
        uint256 demanded = Payout.shareDown(terms.chargeOf(terms.maxUnits()), rates.bondBps(tier));
        if (demanded < terms.arbiterFee()) demanded = terms.arbiterFee();
        if (terms.bond() < demanded) revert BondTooSmall(terms.bond(), demanded);
        maxLocked = rates.maxLocked(tier);
    }

    function _requireAdmission(JobId id, TermsRef terms) private view {
        bool admitted = terms.askGuard(ITradeGuard.admits.selector, JobId.unwrap(id), GUARD_GAS);
        if (!admitted) revert RefusedByGuard(terms.guard());
    }

    function _requireOpener(uint48 nonce, JobId id, address party, AccountSlot account, bytes calldata signature)
        private
        view
    {
        if (nonce > MAX_NONCE) revert NonceOutOfRange(nonce, 0, MAX_NONCE);
        if (nonce < account.minNonce()) revert NonceCancelled(party, nonce, account.minNonce());
        _requireParty(party, account.optedIn(), JobId.unwrap(id), signature);
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

    function _attest(Terms calldata given, Attestation calldata attestation, bytes calldata signature) private {
        (TermsRef terms, JobId id, JobSlot job) = _live(given);
        if (attestation.job != id) revert WrongJob(attestation.job, id);
        _requireInTime(job);
        address caller = _caller();
        _requireUnits(attestation.units, 0, terms.maxUnits());
        if (attestation.qualityBps > FULL_BPS) revert ShareTooLarge(attestation.qualityBps, FULL_BPS);
        _requireNamed(terms.verifier(), caller, attestationDigest(attestation), signature);

        if (attestation.verdict == Verdict.Pass) {
            bool pays;
            (job, pays) = _pass(terms, job, attestation, caller == terms.provider());
            if (pays) return _pay(terms, id, job, attestation, caller);
        } else if (attestation.verdict == Verdict.Fail) {
            if (!_nothingFinal(job)) revert WrongState(job.state(), job.outcome());
            job = job.waiting(Outcome.Fail, 0, _in(terms.disputeWindow())).withQuality(attestation.qualityBps);
        } else {
            if (!job.isIn(JobState.Open)) revert WrongState(job.state(), job.outcome());
            job = job.waiting(Outcome.NoFault, 0, _in(terms.disputeWindow()));
        }

        _jobs[id] = job;
        emit JobAttested(
            id,
            attestation.verdict,
            attestation.result,
            attestation.units,
            attestation.isFinal,
            attestation.qualityBps,
            attestation.meterRoot,
            attestation.evidence,
            job.accepted(),
            job.outcome(),
            job.pending(),
            job.deadline()
        );
    }

    /// @dev The usual end, with an event of its own that is attestation and close in one.
    function _pay(TermsRef terms, JobId id, JobSlot job, Attestation calldata attestation, address caller) private {
        Payout.Ending memory ending;
        ending.cause = ClosedBy.Attested;
        ending.units = job.pending();
        ending.verifierEarned = true;
        Payout.Split memory split = terms.split(job.feeBps(), ending);
        uint104 share = _end(terms, id, job, ending, split);
        emit JobPaid(
            id,
            caller,
            attestation.result,
            attestation.units,
            attestation.qualityBps,
            attestation.meterRoot,
            attestation.evidence,
            ending.units,
            split.providerPaid,
            split.fee,
            split.refund,
            split.verifierPaid,
            share
        );
        if (job.staked()) _returnStake(id, terms.provider(), split.bondReturned);
        if (share > 0) _push(msg.sender, share);
    }

    /// @dev The job after a pass, not yet stored, and whether it pays at once.
    function _pass(TermsRef terms, JobSlot job, Attestation calldata attestation, bool fromProvider)
        private
        view
        returns (JobSlot, bool pays)
    {
        bool own = _isOwn(terms);
        uint64 units = attestation.units;
        if (attestation.isFinal) {
            bool overtakes = own && fromProvider && job.awaits(Outcome.Pass) && units > job.pending();
            if (overtakes || _nothingFinal(job)) {
                pays = own ? fromProvider : terms.passWindow() == 0;
                uint64 payable_ = _max(_max(units, job.accepted()), terms.minUnits());
                uint40 end = _in(pays ? 0 : own ? terms.disputeWindow() : terms.passWindow());
                return (job.waiting(Outcome.Pass, payable_, end).withQuality(attestation.qualityBps), pays);
            }
            // What the buyer or payer signed late still counts, but only as a reading.
            if (!own) revert WrongState(job.state(), job.outcome());
        }
        // A reading cannot be contested any more, so it must not get round a pass window.
        if (!own && terms.passWindow() != 0) revert ReadingNeedsNoPassWindow(terms.passWindow());
        if (units <= job.accepted()) revert UnitsNotRising(units, job.accepted());
        return (job.withAccepted(units), false);
    }

    // ---------------------------------------------------------------- propose and finalize

    /// @inheritdoc IJobEscrow
    function propose(Terms calldata given, uint64 units, bytes32 result) external {
        (TermsRef terms, JobId id, JobSlot job) = _live(given);
        if (msg.sender != terms.provider()) revert CallerNotProvider(msg.sender, terms.provider());
        bool possible =
            job.state() == JobState.Open || (job.state() == JobState.Pending && job.outcome() == Outcome.NoFault);
        if (!possible) revert WrongState(job.state(), job.outcome());
        _requireInTime(job);
        _requireUnits(units, job.accepted(), terms.maxUnits());
        // Resolved now: a later reading then cannot turn a claim into a mere excuse, nor an excuse into a claim.
        uint64 payable_ = units > job.accepted() ? _max(units, terms.minUnits()) : units;
        uint40 end = _in(terms.disputeWindow());
        _jobs[id] = job.waiting(Outcome.Claim, payable_, end);
        emit JobProposed(id, payable_, result, end);
    }

    /// @inheritdoc IJobEscrow
    function finalize(Terms calldata terms) external {
        _finalize(terms);
    }

    /// @inheritdoc IJobEscrow
    function finalizeToWallet(Terms calldata terms) external {
        _finalize(terms);
    }

    function _finalize(Terms calldata given) private {
        (TermsRef terms, JobId id, JobSlot job) = _live(given);
        if (job.state() == JobState.Open) revert WrongState(job.state(), job.outcome());
        _requireOver(job);
        if (job.state() == JobState.Disputed) {
            _closePaying(terms, id, job, ClosedBy.DisputedByDefault, job.accepted());
        } else if (job.outcome() == Outcome.Fail && !_isOwn(terms)) {
            _closeSlashing(terms, id, job, ClosedBy.Finalized, terms.undeliveredBondDown(job.accepted()));
        } else {
            // After a fail, or without fault, nothing is pending, so that what was accepted is paid.
            _closePaying(terms, id, job, ClosedBy.Finalized, _max(job.pending(), job.accepted()));
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

    function _reclaim(Terms calldata given) private {
        (TermsRef terms, JobId id, JobSlot job) = _live(given);
        if (job.state() != JobState.Open) revert WrongState(job.state(), job.outcome());
        _requireOver(job);
        if (job.accepted() == 0) _closeSlashing(terms, id, job, ClosedBy.Reclaimed, terms.bond());
        else _closePaying(terms, id, job, ClosedBy.Reclaimed, job.accepted());
    }

    // ---------------------------------------------------------------- dispute and rule

    /// @inheritdoc IJobEscrow
    function dispute(Terms calldata given) external {
        (TermsRef terms, JobId id, JobSlot job) = _live(given);
        _requireCallerParty(terms);
        if (job.state() != JobState.Pending) revert WrongState(job.state(), job.outcome());
        _requireInTime(job);
        bool arbitrated = terms.arbiter() != address(0);
        uint40 end = _in(arbitrated ? terms.rulingWindow() : 0);
        emit JobDisputed(id, msg.sender, end);
        if (arbitrated) _jobs[id] = job.disputed(end);
        else _closePaying(terms, id, job, ClosedBy.DisputedByDefault, job.accepted());
    }

    /// @inheritdoc IJobEscrow
    function rule(Terms calldata given, Ruling calldata ruling, bytes calldata signature) external {
        (TermsRef terms, JobId id, JobSlot job) = _live(given);
        if (ruling.job != id) revert WrongJob(ruling.job, id);
        if (job.state() != JobState.Disputed) revert WrongState(job.state(), job.outcome());
        _requireInTime(job);
        _requireUnits(ruling.units, 0, terms.maxUnits());
        if (ruling.slashBps > FULL_BPS) revert ShareTooLarge(ruling.slashBps, FULL_BPS);
        if (ruling.costBps > FULL_BPS) revert ShareTooLarge(ruling.costBps, FULL_BPS);
        _requireNamed(terms.arbiter(), msg.sender, rulingDigest(ruling), signature);

        emit JobRuled(id, ruling.units, ruling.slashBps, ruling.costBps);
        Payout.Ending memory ending;
        ending.cause = ClosedBy.Ruled;
        ending.units = _max(ruling.units, job.accepted());
        ending.arbiterEarned = true;
        ending.costBps = ruling.costBps;
        ending.failed = ruling.slashBps > 0;
        // Only the buyer's side disputes a claim or signs an own fail, so what frees the bond of all cost went against it.
        ending.buyerLost = ruling.slashBps == 0 && ruling.costBps == 0
            && (job.outcome() == Outcome.Claim || (job.outcome() == Outcome.Fail && _isOwn(terms)));
        ending.slashWanted = uint104(Payout.shareDown(terms.bond(), ruling.slashBps));
        _close(terms, id, job, ending);
    }

    // ---------------------------------------------------------------- agree and cancel

    /// @inheritdoc IJobEscrow
    function agree(Terms calldata given, Settlement calldata settlement, Signatures calldata signatures) external {
        (TermsRef terms, JobId id, JobSlot job) = _live(given);
        if (settlement.job != id) revert WrongJob(settlement.job, id);
        if (block.timestamp > settlement.deadline) revert TooLate(block.timestamp, settlement.deadline);
        _requireUnits(settlement.units, 0, terms.maxUnits());
        bytes32 digest = settlementDigest(settlement);
        _requireParty(terms.buyer(), _holding(terms.buyer()).slot.optedIn(), digest, signatures.buyer);
        _requireParty(terms.provider(), _holding(terms.provider()).slot.optedIn(), digest, signatures.provider);
        if (settlement.units > job.accepted() && terms.payer() != terms.buyer()) {
            _requireParty(terms.payer(), _holding(terms.payer()).slot.optedIn(), digest, signatures.payer);
        }
        _closePaying(terms, id, job, ClosedBy.Agreed, settlement.units);
    }

    /// @inheritdoc IJobEscrow
    function cancel(Terms calldata given) external {
        TermsRef terms = TermsInHand.take(given);
        JobId id = _idOf(terms);
        JobSlot job = _jobs[id];
        if (job.state() != JobState.None) revert WrongState(job.state(), job.outcome());
        _requireCallerParty(terms);
        _jobs[id] = JobPacking.cancelled();
        emit JobCancelled(id, msg.sender);
    }

    // ---------------------------------------------------------------- close

    /// @dev Pays `units` and frees the bond.
    function _closePaying(TermsRef terms, JobId id, JobSlot job, ClosedBy cause, uint64 units) private {
        Payout.Ending memory ending;
        ending.cause = cause;
        ending.units = units;
        _close(terms, id, job, ending);
    }

    /// @dev The provider was at fault: pays what was accepted and slashes the bond.
    function _closeSlashing(TermsRef terms, JobId id, JobSlot job, ClosedBy cause, uint104 slash) private {
        Payout.Ending memory ending;
        ending.cause = cause;
        ending.units = job.accepted();
        ending.failed = true;
        ending.slashWanted = slash;
        _close(terms, id, job, ending);
    }

    /// @dev Every end but the usual one.
    function _close(TermsRef terms, JobId id, JobSlot job, Payout.Ending memory ending) private {
        // Readings raise `accepted` and are passes; pass and fail outrank the rest and are never displaced.
        ending.verifierEarned = job.accepted() > 0 || job.outcome() >= Outcome.Pass;
        Payout.Split memory split = terms.split(job.feeBps(), ending);
        uint104 share = _end(terms, id, job, ending, split);
        emit JobClosed(
            id,
            msg.sender,
            ending.cause,
            job.outcome(),
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
        if (job.staked()) _returnStake(id, terms.provider(), split.bondReturned);
        if (share > 0) _push(msg.sender, share);
    }

    /// @dev The one way out: credits everyone what the split says, and scores. Returns what of the caller's share is left for its wallet.
    function _end(TermsRef terms, JobId id, JobSlot job, Payout.Ending memory ending, Payout.Split memory split)
        private
        returns (uint104 share)
    {
        _jobs[id] = job.closed(ending.units, ending.cause, ending.verifierEarned, ending.failed);
        _settle(terms, split);
        if (_wantsToWallet()) {
            share = _shareOfCaller(terms, split);
            if (share > 0) _debit(msg.sender, share);
        }
        _record(
            terms.buyer(),
            terms.payer(),
            terms.provider(),
            ClosedJobPacking.pack(
                split.fee,
                terms.chargeOf(terms.maxUnits() - ending.units),
                job.qualityBps(),
                ending.cause,
                job.outcome(),
                ending.failed,
                ending.buyerLost
            )
        );
    }

    /// @dev Roles may coincide, so each leg loads what the one before stored.
    function _settle(TermsRef terms, Payout.Split memory split) private {
        Holding storage holding = _holding(terms.payer());
        holding.slot = holding.slot.minusLocked(terms.escrowOf()).plusFree(split.refund);
        holding = _holding(terms.provider());
        // No sum exceeds the credit's supply, of which these are parts.
        unchecked {
            holding.slot = holding.slot.minusLocked(terms.bond()).plusFree(split.providerPaid + split.bondReturned);
            _credit(terms.verifier(), split.verifierPaid);
            _credit(terms.arbiter(), split.arbiterFromEscrow + split.arbiterFromBond);
            _credit(terms.buyer(), split.bondToBuyer);
            _addFees(split.fee + split.bondToTreasury);
        }
    }

    /// @dev Asked of the call itself: an argument that is constant in each caller makes the compiler clone `_close` for each.
    function _wantsToWallet() private pure returns (bool) {
        if (msg.sig == IJobEscrow.attest.selector) return false;
        return msg.sig == IJobEscrow.attestToWallet.selector || msg.sig == IJobEscrow.finalizeToWallet.selector
            || msg.sig == IJobEscrow.reclaimToWallet.selector;
    }

    /// @dev A returned bond stays in the balance, where the next job wants it.
    function _shareOfCaller(TermsRef terms, Payout.Split memory split) private view returns (uint104 share) {
        if (msg.sender == terms.provider()) return split.providerPaid;
        if (msg.sender == terms.payer()) share += split.refund;
        if (msg.sender == terms.buyer()) share += split.bondToBuyer;
        if (msg.sender == terms.verifier()) share += split.verifierPaid;
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
    function jobIdOf(Terms calldata terms) public view override(Batches, IJobEscrow) returns (JobId) {
        return _idOf(TermsInHand.take(terms));
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

    /// @dev The job that these terms opened, while it lives. What was opened was clean.
    function _live(Terms calldata given) private view returns (TermsRef terms, JobId id, JobSlot job) {
        terms = TermsInHand.take(given);
        id = _idOf(terms);
        job = _jobs[id];
        if (!job.lives()) revert WrongState(job.state(), job.outcome());
    }

    function _idOf(TermsRef terms) private view returns (JobId) {
        return JobId.wrap(_hashTypedDataV4(terms.hash()));
    }

    /// @dev The end of a window that starts now.
    function _in(uint32 window) private view returns (uint40) {
        return uint40(block.timestamp + window);
    }

    /// @dev Open, or pending with an outcome that a final pass or fail displaces.
    function _nothingFinal(JobSlot job) private pure returns (bool) {
        return job.isIn(JobState.Open) || (job.isIn(JobState.Pending) && !job.isFinal());
    }

    function _isOwn(TermsRef terms) private pure returns (bool) {
        return terms.verifier() == terms.buyer() || terms.verifier() == terms.payer();
    }

    function _requireInTime(JobSlot job) private view {
        if (block.timestamp > job.deadline()) revert TooLate(block.timestamp, job.deadline());
    }

    function _requireOver(JobSlot job) private view {
        if (block.timestamp <= job.deadline()) revert TooEarly(block.timestamp, job.deadline());
    }

    function _requireUnits(uint64 units, uint64 low, uint64 high) private pure {
        if (units < low || units > high) revert UnitsOutOfRange(units, low, high);
    }

    function _requireCallerParty(TermsRef terms) private view {
        if (msg.sender != terms.buyer() && msg.sender != terms.payer() && msg.sender != terms.provider()) {
            revert CallerNotParty(msg.sender);
        }
    }

    /// @dev Buyer, payer or provider, whose ERC-1271 answer needs its consent.
    function _requireParty(address party, bool optedIn, bytes32 digest, bytes calldata signature) private view {
        if (_caller() == party || SignatureCheck.signedByKey(party, digest, signature)) return;
        if (!SignatureCheck.signedByContract(party, digest, signature)) revert NotAuthorised(party);
        if (!optedIn) revert ConsentMissing(party);
    }

    /// @dev Verifier or arbiter, whose word the parties chose to trust.
    function _requireNamed(address named, address caller, bytes32 digest, bytes calldata signature) private view {
        if (caller == named || SignatureCheck.signedByKey(named, digest, signature)) return;
        if (!SignatureCheck.signedByContract(named, digest, signature)) revert NotAuthorised(named);
    }

    function _max(uint64 a, uint64 b) private pure returns (uint64) {
        return a > b ? a : b;
    }
}
