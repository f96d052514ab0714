// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Job, JobState, Outcome} from "../types/Job.sol";

/// @notice A `Job` in one word, from the low bits: state 3 · outcome 2 · feeBps 16 · accepted 64 · pending 64 · deadline 40 · qualityBps 16.
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

    function unpack(JobSlot slot) internal pure returns (Job memory job) {
        uint256 word = JobSlot.unwrap(slot);
        job.state = JobState(word & STATE_MASK);
        job.outcome = Outcome((word >> OUTCOME) & OUTCOME_MASK);
        job.feeBps = uint16(word >> FEE);
        job.accepted = uint64(word >> ACCEPTED);
        job.pending = uint64(word >> PENDING);
        job.deadline = uint40(word >> DEADLINE);
        job.qualityBps = uint16(word >> QUALITY);
    }

    function pack(Job memory job) internal pure returns (JobSlot) {
        return JobSlot.wrap(
            uint256(job.state) | uint256(job.outcome) << OUTCOME | uint256(job.feeBps) << FEE | uint256(job.accepted)
                << ACCEPTED | uint256(job.pending) << PENDING | uint256(job.deadline) << DEADLINE
                | uint256(job.qualityBps) << QUALITY
        );
    }
}
