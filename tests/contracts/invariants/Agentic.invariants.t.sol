// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC8183Adapter} from "../../../contracts/interfaces/IERC8183Adapter.sol";
import {IERC8183Seat} from "../../../contracts/interfaces/IERC8183Seat.sol";
import {Deployment} from "../fixture/Deployment.sol";
import {AgenticHandler} from "./AgenticHandler.sol";

/// @notice Invariant 15 of README.md beside this file: the handler asks for it after each call.
contract AgenticInvariantsTest is Deployment {
    AgenticHandler private handler;

    function setUp() public override {
        super.setUp();
        IERC8183Adapter adapter = IERC8183Adapter(create("ERC8183Adapter", abi.encode(escrow)));
        string[6] memory names = ["client 0", "client 1", "agent 0", "agent 1", "evaluator", "stranger"];
        address[] memory people = new address[](names.length);
        for (uint256 i; i < names.length; ++i) {
            people[i] = actor(names[i]);
            fund(people[i], 100e18);
            vm.prank(people[i]);
            credit.approve(address(adapter), type(uint256).max);
        }
        for (uint256 i = 2; i < 4; ++i) {
            vm.startPrank(people[i]);
            IERC8183Seat seat = IERC8183Seat(adapter.takeSeat());
            credit.approve(address(seat), type(uint256).max);
            seat.enter(PROVIDER_STAKE);
            vm.stopPrank();
            // Of the two, one has next to nothing but its stake.
            endow(address(seat), i == 2 ? 20e18 : 1e17);
        }
        handler = new AgenticHandler(adapter, credit, people);
        bytes4[] memory selectors = new bytes4[](9);
        selectors[0] = AgenticHandler.createJob.selector;
        selectors[1] = AgenticHandler.setProvider.selector;
        selectors[2] = AgenticHandler.setBudget.selector;
        selectors[3] = AgenticHandler.fund.selector;
        selectors[4] = AgenticHandler.submit.selector;
        selectors[5] = AgenticHandler.complete.selector;
        selectors[6] = AgenticHandler.reject.selector;
        selectors[7] = AgenticHandler.claimRefund.selector;
        selectors[8] = AgenticHandler.beside.selector;
        targetSelector(FuzzSelector(address(handler), selectors));
        targetContract(address(handler));
    }

    function invariant_TheAdapterHoldsNothingOfItsOwn() external view {
        handler.requireNothingHeld();
    }

    function afterInvariant() external {
        handler.endEverything();
    }
}
