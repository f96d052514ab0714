// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {JobId} from "./JobId.sol";

/// @notice The arbiter's decision on a disputed job.
struct Ruling {
    JobId job;
    /// Units payable.
    uint64 units;
    /// Share of the bond slashed.
    uint16 slashBps;
    /// Share of the arbiter's fee that the bond bears; the payer's escrow bears the rest.
    uint16 costBps;
}
