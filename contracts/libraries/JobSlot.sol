// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ClosedBy, Job, JobState, Outcome} from "../types/Job.sol";

/// @notice A `Job` in one word, from the low bits: state 3 · outcome 2 · feeBps 16 · accepted 64 · pending 64 · deadline 40 · qualityBps 16 ·
/// openedIn 40 · closedBy 3 · verifierPaid 1 · failed 1.
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

    function unpack(JobSlot slot) internal pure returns (Job memory job) {
        uint256 word = JobSlot.unwrap(slot);
        job.state = JobState(word & STATE_MASK);
        job.outcome = Outcome((word >> OUTCOME) & OUTCOME_MASK);
        job.feeBps = uint16(word >> FEE);
        job.accepted = uint64(word >> ACCEPTED);
        job.pending = uint64(word >> PENDING);
        job.deadline = uint40(word >> DEADLINE);
        job.qualityBps = uint16(word >> QUALITY);
        job.openedIn = uint40(word >> OPENED_IN);
        job.closedBy = ClosedBy((word >> CLOSED_BY) & CLOSED_BY_MASK);
        job.verifierPaid = (word >> VERIFIER_PAID) & 1 == 1;
        job.failed = (word >> FAILED) & 1 == 1;
    }

    function pack(Job memory job) internal pure returns (JobSlot) {
        return JobSlot.wrap(
            uint256(job.state) | uint256(job.outcome) << OUTCOME | uint256(job.feeBps) << FEE | uint256(job.accepted)
                << ACCEPTED | uint256(job.pending) << PENDING | uint256(job.deadline) << DEADLINE
                | uint256(job.qualityBps) << QUALITY | uint256(job.openedIn) << OPENED_IN | uint256(job.closedBy)
                << CLOSED_BY | (job.verifierPaid ? uint256(1) << VERIFIER_PAID : 0)
                | (job.failed ? uint256(1) << FAILED : 0)
        );
    }
}
