// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

/// @title Owner of every parameter: what a proposer schedules, everybody can see for the delay before it takes effect.
/// @notice It administers itself: there is no other admin, so a change of delay or roles waits as well.
contract Timelock is TimelockController {
    /// @param minDelay Seconds between scheduling and execution.
    /// @param proposers Who may schedule and cancel.
    /// @param executors Who may execute what is due; the zero address means anybody.
    constructor(uint256 minDelay, address[] memory proposers, address[] memory executors)
        TimelockController(minDelay, proposers, executors, address(0))
    {}
}
