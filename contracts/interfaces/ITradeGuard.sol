// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {JobId} from "../types/JobId.sol";
import {Terms} from "../types/Terms.sol";

/// @title A contract that the parties named to look at their trade before it opens: a price guide, a community's admission.
interface ITradeGuard {
    /// @notice Admits a trade by returning this function's selector. Any other answer, a revert, or running out of the gas that
    /// the escrow grants refuses it.
    /// Warning: called statically, before the parties' signatures are checked.
    function admits(JobId job, Terms calldata terms) external view returns (bytes4);
}
