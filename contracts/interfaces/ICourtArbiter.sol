// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {JobId} from "../types/JobId.sol";
import {Terms} from "../types/Terms.sol";

/// @title An outside court as arbiter: makes one ERC-792 court rule on jobs that name this contract as their arbiter.
/// @notice Anyone brings a disputed job to the court and pays its cost in the chain's coin; whoever did gets the job's arbiterFee in credits if the court rules in time. The
/// court chooses: 0 it refuses, so that the escrow's default ends the job; 1 the provider is right: what it claims is paid; 2 the buyer is right: nothing more than what was
/// accepted is paid, and the bond is slashed; 3 neither is: nothing more is paid, nothing is slashed, and both bear the arbiter's fee.
/// Warning: a court that takes longer than the job's rulingWindow rules for nothing. Name one only with a window that it keeps.
interface ICourtArbiter {
    struct CourtCase {
        JobId job;
        /// Who paid the court.
        address requester;
        /// Units that a ruling for the provider pays.
        uint64 claimed;
        uint8 ruling;
        bool ruled;
        bool executed;
    }

    /// ERC-792.
    event Ruling(address indexed arbitrator, uint256 indexed disputeId, uint256 ruling);
    /// ERC-1497.
    event MetaEvidence(uint256 indexed metaEvidenceId, string evidence);
    event Dispute(
        address indexed arbitrator, uint256 indexed disputeId, uint256 metaEvidenceId, uint256 evidenceGroupId
    );
    event Evidence(address indexed arbitrator, uint256 indexed evidenceGroupId, address indexed party, string evidence);
    event UnitsClaimed(uint256 indexed disputeId, uint64 units);
    event RulingExecuted(uint256 indexed disputeId, JobId indexed job);

    error CallerNotCourt(address caller, address court);
    error CallerNotProvider(address caller, address provider);
    error CallerNotParty(address caller);
    error NotDisputed(JobId job);
    error DisputeKnown(uint256 disputeId);
    error NoSuchDispute(uint256 disputeId);
    error CostNotPaid(uint256 paid, uint256 cost);
    error SurplusNotTaken(address caller, uint256 surplus);
    error UnitsOutOfRange(uint64 units, uint64 limit);
    error AlreadyRuled(uint256 disputeId);
    error NothingToExecute(uint256 disputeId);
    error ZeroAddress();

    /// @notice Brings a disputed job to the court, for its cost; more than that comes back. Of a pending claim or pass its units are claimed.
    function createDispute(Terms calldata terms) external payable returns (uint256 disputeId);

    /// @notice The provider says what it claims, before the court rules.
    function claimUnits(uint256 disputeId, Terms calldata terms, uint64 units) external;

    /// @notice Buyer, payer, provider or verifier of the job tells where its evidence is.
    function submitEvidence(uint256 disputeId, Terms calldata terms, string calldata evidence) external;

    /// @notice The court's ruling, kept until it is executed. Only the court.
    function rule(uint256 disputeId, uint256 ruling) external;

    /// @notice Rules in the escrow as the court did, and pays the arbiter's fee to whoever brought the dispute. Anyone may call, before the job's deadline.
    function executeRuling(uint256 disputeId, Terms calldata terms) external;

    function arbitrationCost() external view returns (uint256 wei_);
    function caseOf(uint256 disputeId) external view returns (CourtCase memory);
    function court() external view returns (address);
    function escrow() external view returns (address);
}
