// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IArbitrator} from "./interfaces/IArbitrator.sol";
import {ICourtArbiter} from "./interfaces/ICourtArbiter.sol";
import {IJobEscrow} from "./interfaces/IJobEscrow.sol";
import {Job, JobState} from "./types/Job.sol";
import {JobId} from "./types/JobId.sol";
import {Ruling as JobRuling} from "./types/Ruling.sol";
import {Terms} from "./types/Terms.sol";

contract CourtArbiter is ICourtArbiter {
    uint256 private constant META_EVIDENCE = 0;
    uint256 private constant CHOICES = 3;
    uint8 private constant FOR_THE_PROVIDER = 1;
    uint8 private constant FOR_THE_BUYER = 2;
    uint16 private constant FULL_BPS = 10_000;
    uint16 private constant HALF_BPS = 5_000;

    /// @inheritdoc ICourtArbiter
    address public immutable court;
    /// @inheritdoc ICourtArbiter
    address public immutable escrow;
    bytes private _extraData;
    mapping(uint256 disputeId => CourtCase) private _cases;
    mapping(JobId job => bool) private _brought;

    constructor(address escrow_, address court_, bytes memory extraData, string memory metaEvidence) {
        if (escrow_ == address(0) || court_ == address(0)) revert ZeroAddress();
        escrow = escrow_;
        court = court_;
        _extraData = extraData;
        emit MetaEvidence(META_EVIDENCE, metaEvidence);
    }

    /// @inheritdoc ICourtArbiter
    function createDispute(Terms calldata terms) external payable returns (uint256 disputeId) {
        JobId id = IJobEscrow(escrow).jobIdOf(terms);
        Job memory job = IJobEscrow(escrow).jobOf(id);
        if (terms.arbiter != address(this) || job.state != JobState.Disputed || _brought[id]) revert NotDisputed(id);
        uint256 cost = arbitrationCost();
        if (msg.value < cost) revert CostNotPaid(msg.value, cost);
        _brought[id] = true;
        disputeId = IArbitrator(court).createDispute{value: cost}(CHOICES, _extraData);
        if (_cases[disputeId].requester != address(0)) revert DisputeKnown(disputeId);
        _cases[disputeId] = CourtCase(id, msg.sender, job.pending, 0, false, false);
        emit Dispute(court, disputeId, META_EVIDENCE, disputeId);
        uint256 surplus = msg.value - cost;
        if (surplus == 0) return disputeId;
        (bool taken,) = msg.sender.call{value: surplus}("");
        if (!taken) revert SurplusNotTaken(msg.sender, surplus);
    }

    /// @inheritdoc ICourtArbiter
    function claimUnits(uint256 disputeId, Terms calldata terms, uint64 units) external {
        CourtCase storage case_ = _caseOf(disputeId, terms);
        if (msg.sender != terms.provider) revert CallerNotProvider(msg.sender, terms.provider);
        if (case_.ruled) revert AlreadyRuled(disputeId);
        if (units > terms.maxUnits) revert UnitsOutOfRange(units, terms.maxUnits);
        case_.claimed = units;
        emit UnitsClaimed(disputeId, units);
    }

    /// @inheritdoc ICourtArbiter
    function submitEvidence(uint256 disputeId, Terms calldata terms, string calldata evidence) external {
        _caseOf(disputeId, terms);
        bool party = msg.sender == terms.buyer || msg.sender == terms.payer || msg.sender == terms.provider;
        if (!party && msg.sender != terms.verifier) revert CallerNotParty(msg.sender);
        emit Evidence(court, disputeId, msg.sender, evidence);
    }

    /// @inheritdoc ICourtArbiter
    function rule(uint256 disputeId, uint256 ruling) external {
        if (msg.sender != court) revert CallerNotCourt(msg.sender, court);
        CourtCase storage case_ = _cases[disputeId];
        if (case_.requester == address(0)) revert NoSuchDispute(disputeId);
        if (case_.ruled) revert AlreadyRuled(disputeId);
        case_.ruled = true;
        // What is no choice of ours counts as a refusal.
        case_.ruling = ruling > CHOICES ? 0 : uint8(ruling);
        emit Ruling(court, disputeId, ruling);
    }

    /// @inheritdoc ICourtArbiter
    function executeRuling(uint256 disputeId, Terms calldata terms) external {
        CourtCase storage case_ = _caseOf(disputeId, terms);
        if (!case_.ruled || case_.ruling == 0 || case_.executed) revert NothingToExecute(disputeId);
        case_.executed = true;
        JobRuling memory ruling = JobRuling(case_.job, 0, 0, HALF_BPS);
        if (case_.ruling == FOR_THE_PROVIDER) ruling = JobRuling(case_.job, case_.claimed, 0, 0);
        if (case_.ruling == FOR_THE_BUYER) ruling = JobRuling(case_.job, 0, FULL_BPS, FULL_BPS);
        emit RulingExecuted(disputeId, case_.job);
        IJobEscrow(escrow).rule(terms, ruling, "");
        IJobEscrow(escrow).withdraw(case_.requester, terms.arbiterFee);
    }

    function _caseOf(uint256 disputeId, Terms calldata terms) private view returns (CourtCase storage case_) {
        case_ = _cases[disputeId];
        if (case_.requester == address(0)) revert NoSuchDispute(disputeId);
        if (IJobEscrow(escrow).jobIdOf(terms) != case_.job) revert NotDisputed(case_.job);
    }

    /// @inheritdoc ICourtArbiter
    function arbitrationCost() public view returns (uint256) {
        return IArbitrator(court).arbitrationCost(_extraData);
    }

    /// @inheritdoc ICourtArbiter
    function caseOf(uint256 disputeId) external view returns (CourtCase memory) {
        return _cases[disputeId];
    }
}
