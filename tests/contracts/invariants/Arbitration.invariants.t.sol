// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Test} from "../cheatcodes/Test.sol";
import {ArbitrationHandler} from "./ArbitrationHandler.sol";

/// @notice README.md beside this file has the invariants in mathematics.
contract ArbitrationInvariantsTest is Test {
    ArbitrationHandler private handler;

    function setUp() external {
        handler = new ArbitrationHandler();
        bytes4[] memory selectors = new bytes4[](10);
        selectors[0] = ArbitrationHandler.comeAndGo.selector;
        selectors[1] = ArbitrationHandler.wait.selector;
        selectors[2] = ArbitrationHandler.dispute.selector;
        selectors[3] = ArbitrationHandler.draw.selector;
        selectors[4] = ArbitrationHandler.commit.selector;
        selectors[5] = ArbitrationHandler.reveal.selector;
        selectors[6] = ArbitrationHandler.appeal.selector;
        selectors[7] = ArbitrationHandler.settle.selector;
        selectors[8] = ArbitrationHandler.end.selector;
        selectors[9] = ArbitrationHandler.waitLong.selector;
        targetSelector(FuzzSelector(address(handler), selectors));
        targetContract(address(handler));
    }

    /// @dev Invariants 11 and 12. A call that panics reverts in the handler.
    function invariant_WhatIsHeldIsOwed_AndSittingsAreThoseOfOpenDisputes() external view {
        vm.assertEq(handler.held(), handler.owed(), "held");
        vm.assertEq(handler.freeInEscrow(), 0, "nothing stays in the escrow");
        vm.assertTrue(handler.sittingsMatch());
    }

    /// @dev Invariant 13.
    function afterInvariant() external {
        vm.assertTrue(handler.endEverything(), "a dispute is stuck");
        vm.assertEq(handler.held(), handler.owed(), "held at the end");
    }
}
