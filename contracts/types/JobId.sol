// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice The EIP-712 digest of a job's `Terms`, chain and escrow included.
type JobId is bytes32;

using {equals as ==, differs as !=} for JobId global;

function equals(JobId a, JobId b) pure returns (bool) {
    return JobId.unwrap(a) == JobId.unwrap(b);
}

function differs(JobId a, JobId b) pure returns (bool) {
    return JobId.unwrap(a) != JobId.unwrap(b);
}
