// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Test} from "../cheatcodes/Test.sol";
import {CommitteeHandler} from "./CommitteeHandler.sol";

/// @notice README.md beside this file has the invariants in mathematics.
/// forge-config: default.invariant.runs = 8
/// forge-config: default.invariant.depth = 100
contract CommitteeInvariantsTest is Test {
    CommitteeHandler private handler;

    function setUp() external {
        handler = new CommitteeHandler();
        bytes4[] memory selectors = new bytes4[](10);
        selectors[0] = CommitteeHandler.join.selector;
        selectors[1] = CommitteeHandler.rotate.selector;
        selectors[2] = CommitteeHandler.goAway.selector;
        selectors[3] = CommitteeHandler.wait.selector;
        selectors[4] = CommitteeHandler.trade.selector;
        selectors[5] = CommitteeHandler.attest.selector;
        selectors[6] = CommitteeHandler.end.selector;
        selectors[7] = CommitteeHandler.claim.selector;
        selectors[8] = CommitteeHandler.withdrawFees.selector;
        selectors[9] = CommitteeHandler.slash.selector;
        targetSelector(FuzzSelector(address(handler), selectors));
        targetContract(address(handler));
    }

    /// @dev Invariant 9.
    function invariant_TokensHeldAreStakes_AndFeesCoverShares() external view {
        vm.assertEq(handler.wallet(), handler.stakesOwed(), "stakes");
        vm.assertGe(handler.freeInEscrow(), handler.sharesOwed() + handler.unclaimed(), "fees");
    }

    /// @dev Invariant 10.
    function invariant_WhoServesHasASeatAndAWholeStake() external view {
        vm.assertTrue(handler.seatsAreServed());
        vm.assertEq(handler.panics(), 0, "a call panicked");
    }
}
