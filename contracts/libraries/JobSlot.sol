// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ClosedBy, Job, JobState, Outcome} from "../types/Job.sol";

/// @notice A `Job` in one word, from the low bits: state 3 · outcome 2 · feeBps 16 · accepted 64 · pending 64 · deadline 40 · qualityBps 16 ·
/// openedIn 40 · closedBy 3 · verifierPaid 1 · failed 1 · staked 1.
/// Zero is a job that never was.
type JobSlot is uint256;

using JobPacking for JobSlot global;

library JobPacking {
    uint256 private constant STATE_MASK = 0x7;
    uint256 private constant OUTCOME = 3;
    uint256 private constant OUTCOME_MASK = 0x3;
    uint256 private constant FEE = 5;
    uint256 private constant ACCEPTED = 21;
    uint256 private constant PENDING = 85;
    uint256 private constant DEADLINE = 149;
    uint256 private constant QUALITY = 189;
    uint256 private constant OPENED_IN = 205;
    uint256 private constant CLOSED_BY = 245;
    uint256 private constant CLOSED_BY_MASK = 0x7;
    uint256 private constant VERIFIER_PAID = 248;
    uint256 private constant FAILED = 249;
    uint256 private constant STAKED = 250;

    uint256 private constant FULL_BPS = 10_000;
    uint256 private constant UINT64 = type(uint64).max;
    uint256 private constant UINT40 = type(uint40).max;
    uint256 private constant UINT16 = type(uint16).max;
    /// State, outcome, pending and deadline: what a window is made of.
    uint256 private constant WINDOW = STATE_MASK | OUTCOME_MASK << OUTCOME | UINT64 << PENDING | UINT40 << DEADLINE;

    // ---------------------------------------------------------------- fields

    function state(JobSlot slot) internal pure returns (JobState) {
        return JobState(JobSlot.unwrap(slot) & STATE_MASK);
    }

    function outcome(JobSlot slot) internal pure returns (Outcome) {
        return Outcome((JobSlot.unwrap(slot) >> OUTCOME) & OUTCOME_MASK);
    }

    function isIn(JobSlot slot, JobState state_) internal pure returns (bool) {
        return JobSlot.unwrap(slot) & STATE_MASK == uint256(state_);
    }

    /// @notice Opened, and not closed.
    function lives(JobSlot slot) internal pure returns (bool) {
        unchecked {
            return (JobSlot.unwrap(slot) & STATE_MASK) - 1 < uint256(JobState.Closed) - 1;
        }
    }

    /// @notice Pending with `outcome_`.
    function awaits(JobSlot slot, Outcome outcome_) internal pure returns (bool) {
        return JobSlot.unwrap(slot) & (STATE_MASK | OUTCOME_MASK << OUTCOME)
            == uint256(JobState.Pending) | uint256(outcome_) << OUTCOME;
    }

    /// @notice Rests on a final pass or fail.
    function isFinal(JobSlot slot) internal pure returns (bool) {
        return JobSlot.unwrap(slot) & (uint256(Outcome.Pass) << OUTCOME) != 0;
    }

    function feeBps(JobSlot slot) internal pure returns (uint16) {
        return uint16(JobSlot.unwrap(slot) >> FEE);
    }

    function accepted(JobSlot slot) internal pure returns (uint64) {
        return uint64(JobSlot.unwrap(slot) >> ACCEPTED);
    }

    function pending(JobSlot slot) internal pure returns (uint64) {
        return uint64(JobSlot.unwrap(slot) >> PENDING);
    }

    function deadline(JobSlot slot) internal pure returns (uint40) {
        return uint40(JobSlot.unwrap(slot) >> DEADLINE);
    }

    function qualityBps(JobSlot slot) internal pure returns (uint16) {
        return uint16(JobSlot.unwrap(slot) >> QUALITY);
    }

    /// @notice Part of the bond is reserved stake.
    function staked(JobSlot slot) internal pure returns (bool) {
        return (JobSlot.unwrap(slot) >> STAKED) & 1 == 1;
    }

    // ---------------------------------------------------------------- transitions

    /// @notice A job that is just opened, with full quality until somebody says otherwise.
    function opened(uint16 fee, uint40 end, uint256 blockNumber, bool staked_) internal pure returns (JobSlot) {
        return JobSlot.wrap(
            uint256(JobState.Open) | uint256(fee) << FEE | uint256(end) << DEADLINE | FULL_BPS << QUALITY
                | (blockNumber & UINT40) << OPENED_IN | (staked_ ? uint256(1) << STAKED : 0)
        );
    }

    /// @notice A job that never opened and never will.
    function cancelled() internal pure returns (JobSlot) {
        return JobSlot.wrap(uint256(JobState.Closed) | uint256(ClosedBy.Cancelled) << CLOSED_BY);
    }

    /// @notice Pending with `outcome_` over `units` until `end`.
    function waiting(JobSlot slot, Outcome outcome_, uint64 units, uint40 end) internal pure returns (JobSlot) {
        return JobSlot.wrap(
            (JobSlot.unwrap(slot) & ~WINDOW) | uint256(JobState.Pending) | uint256(outcome_) << OUTCOME | uint256(units)
                << PENDING | uint256(end) << DEADLINE
        );
    }

    /// @notice Disputed until `end`; outcome and pending stay.
    function disputed(JobSlot slot, uint40 end) internal pure returns (JobSlot) {
        return JobSlot.wrap(
            (JobSlot.unwrap(slot) & ~(STATE_MASK | UINT40 << DEADLINE)) | uint256(JobState.Disputed) | uint256(end)
                << DEADLINE
        );
    }

    function withAccepted(JobSlot slot, uint64 units) internal pure returns (JobSlot) {
        return JobSlot.wrap((JobSlot.unwrap(slot) & ~(UINT64 << ACCEPTED)) | uint256(units) << ACCEPTED);
    }

    function withQuality(JobSlot slot, uint16 share) internal pure returns (JobSlot) {
        return JobSlot.wrap((JobSlot.unwrap(slot) & ~(UINT16 << QUALITY)) | uint256(share) << QUALITY);
    }

    /// @notice Closed with `units` settled. Fee, outcome, quality and the block of the opening stay.
    function closed(JobSlot slot, uint64 units, ClosedBy cause, bool verifierPaid, bool failed)
        internal
        pure
        returns (JobSlot)
    {
        uint256 kept =
            JobSlot.unwrap(slot) & ~(STATE_MASK | UINT64 << ACCEPTED | UINT64 << PENDING | UINT40 << DEADLINE);
        return JobSlot.wrap(
            kept | uint256(JobState.Closed) | uint256(units) << ACCEPTED | uint256(cause) << CLOSED_BY
                | (verifierPaid ? uint256(1) << VERIFIER_PAID : 0) | (failed ? uint256(1) << FAILED : 0)
        );
    }

    // ---------------------------------------------------------------- whole

    function unpack(JobSlot slot) internal pure returns (Job memory job) {
        uint256 word = JobSlot.unwrap(slot);
        job.state = slot.state();
        job.outcome = slot.outcome();
        job.feeBps = slot.feeBps();
        job.accepted = slot.accepted();
        job.pending = slot.pending();
        job.deadline = slot.deadline();
        job.qualityBps = slot.qualityBps();
        job.openedIn = uint40(word >> OPENED_IN);
        job.closedBy = ClosedBy((word >> CLOSED_BY) & CLOSED_BY_MASK);
        job.verifierPaid = (word >> VERIFIER_PAID) & 1 == 1;
        job.failed = (word >> FAILED) & 1 == 1;
    }
}
