// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {JobId} from "./JobId.sol";

/// @notice Buyer and provider end a job by agreement at `units`.
struct Settlement {
    JobId job;
    /// Units payable.
    uint64 units;
    /// Last second at which the agreement may be used.
    uint40 deadline;
}
