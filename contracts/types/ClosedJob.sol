// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ClosedBy, Outcome} from "./Job.sol";
import {JobId} from "./JobId.sol";

/// @notice What the credit scores learn of a job when it closes.
struct ClosedJob {
    JobId job;
    address buyer;
    address payer;
    address provider;
    ClosedBy cause;
    Outcome outcome;
    /// Settled units · unit price, before the fee.
    uint104 paid;
    /// Protocol fee within `paid`.
    uint104 fee;
    /// Maximum units · unit price.
    uint104 value;
    /// Share of service levels met: full where no final attestation said otherwise.
    uint16 qualityBps;
    /// The provider was at fault: a fail by an independent verifier stood, a ruling slashed it, or nothing was delivered by the end.
    bool failed;
}
