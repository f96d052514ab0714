// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {JobId} from "./JobId.sol";

/// @notice What a verifier says of a job. The zero value harms nobody.
enum Verdict {
    NoFault,
    Pass,
    Fail
}

/// @notice A verifier's signed statement on a job.
struct Attestation {
    JobId job;
    Verdict verdict;
    /// SHA-256 of the canonical output manifest.
    bytes32 result;
    /// Payable units so far: cumulative, after service-level reductions.
    uint64 units;
    /// False for a reading of a running lease, true for the last word.
    bool isFinal;
    /// Share of service levels met; weighs in the credit score only.
    uint16 qualityBps;
    /// Root of the meter samples behind `units`, or zero.
    bytes32 meterRoot;
    /// SHA-256 of the canonical evidence bundle.
    bytes32 evidence;
}
