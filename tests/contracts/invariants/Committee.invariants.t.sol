// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Test} from "../cheatcodes/Test.sol";
import {CommitteeHandler} from "./CommitteeHandler.sol";

/// @notice README.md beside this file has the invariants in mathematics.
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

    /// @dev Invariants 9 and 10. A call that panics reverts in the handler.
    function invariant_WhatIsHeldIsStakesAndShares_AndWhoServesHasASeat() external view {
        vm.assertEq(handler.wallet(), handler.stakesOwed(), "stakes");
        vm.assertGe(handler.freeInEscrow(), handler.sharesOwed() + handler.unclaimed(), "fees");
        vm.assertTrue(handler.seatsAreServed());
    }
}
