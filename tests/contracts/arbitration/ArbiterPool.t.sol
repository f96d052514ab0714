// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IArbitration} from "../../../contracts/interfaces/IArbitration.sol";
import {Panel} from "../fixture/Panel.sol";

/// @notice `Arbitration.tree`: constructor, join, leave, dismiss, release, withdrawFees.
contract ArbiterPoolTest is Panel {
    function setUp() public override {
        super.setUp();
        setUpPanel(4);
    }

    function expectAs(address caller, bytes4 selector, address subject) private {
        vm.expectRevert(abi.encodeWithSelector(selector, subject));
        vm.prank(caller);
    }

    function test_Join_TakesASeatAndAStake() external {
        vm.prank(address(timelock));
        court.name(relayer);
        enter(relayer, ARBITER_STAKE);
        IArbitration.Arbiter memory a = court.arbiterOf(relayer);
        vm.assertTrue(a.active);
        vm.assertEq(uint256(a.seat), 4);
        vm.assertEq(uint256(a.stake), ARBITER_STAKE);
        vm.assertEq(court.arbiters().length, 5);
        vm.assertEq(credit.balanceOf(address(court)), 5 * uint256(ARBITER_STAKE));
    }

    function test_Join_RevertWhen_NotNamed_OrIn_OrLeaving() external {
        expectAs(relayer, IArbitration.NotNamed.selector, relayer);
        court.join();
        expectAs(judges[0], IArbitration.AlreadyJoined.selector, judges[0]);
        court.join();
        vm.prank(judges[0]);
        court.leave();
        expectAs(judges[0], IArbitration.AlreadyJoined.selector, judges[0]);
        court.join();
    }

    function test_Release_PaysTheStake_AndFreesTheSeat() external {
        vm.prank(judges[1]);
        court.leave();
        vm.assertEq(court.arbiters().length, 3);
        uint256 due = block.timestamp + ARBITER_UNBONDING;
        vm.warp(due);
        vm.expectRevert(abi.encodeWithSelector(IArbitration.StillUnbonding.selector, due, due));
        vm.prank(judges[1]);
        court.release();
        vm.warp(due + 1);
        vm.prank(judges[1]);
        court.release();
        vm.assertEq(credit.balanceOf(judges[1]), ARBITER_STAKE);

        vm.prank(address(timelock));
        court.name(relayer);
        enter(relayer, ARBITER_STAKE);
        vm.assertEq(uint256(court.arbiterOf(relayer).seat), 1);
        // Its old seat is another's: it takes a new one.
        enter(judges[1], ARBITER_STAKE);
        vm.assertEq(uint256(court.arbiterOf(judges[1]).seat), 4);
    }

    function test_Leave_And_Release_RevertWhen_NotIn() external {
        expectAs(relayer, IArbitration.NotJoined.selector, relayer);
        court.leave();
        expectAs(judges[0], IArbitration.NotJoined.selector, judges[0]);
        court.release();
    }

    function test_Dismiss_MakesAnArbiterLeave() external {
        vm.prank(address(timelock));
        court.dismiss(judges[2]);
        vm.assertFalse(court.arbiterOf(judges[2]).active);
        vm.assertFalse(court.arbiterOf(judges[2]).named);
        vm.warp(block.timestamp + ARBITER_UNBONDING + 1);
        vm.prank(judges[2]);
        court.release();
        expectAs(judges[2], IArbitration.NotNamed.selector, judges[2]);
        court.join();
    }

    function test_Name_And_Dismiss_RevertWhen_NotByTheTimelock_OrUnfit() external {
        bytes memory notOwner =
            abi.encodeWithSelector(IArbitration.CallerNotOwner.selector, governor, address(timelock));
        vm.expectRevert(notOwner);
        vm.prank(governor);
        court.name(relayer);
        vm.expectRevert(notOwner);
        vm.prank(governor);
        court.dismiss(judges[0]);
        expectAs(address(timelock), IArbitration.NotNamed.selector, relayer);
        court.dismiss(relayer);
        expectAs(address(timelock), IArbitration.AlreadyNamed.selector, judges[0]);
        court.name(judges[0]);
        vm.expectRevert(IArbitration.ZeroAddress.selector);
        vm.prank(address(timelock));
        court.name(address(0));
    }

    function test_WithdrawFees_RevertWhen_TheReceiverIsZero() external {
        vm.expectRevert(IArbitration.ZeroAddress.selector);
        court.withdrawFees(address(0));
    }

    // ---------------------------------------------------------------- birth

    function createWith(address escrow_, address owner, IArbitration.Rules calldata rules, address[] calldata named)
        external
    {
        create("Arbitration", abi.encode(escrow_, owner, rules, named, ""));
    }

    function test_Rules_AreThoseOfItsBirth() external view {
        vm.assertEq(keccak256(abi.encode(court.rules())), keccak256(abi.encode(arbitrationRules())));
    }

    function test_Constructor_RevertWhen_AnAddressIsZero_OrNamedTwice() external {
        IArbitration.Rules memory rules = arbitrationRules();
        vm.expectRevert(IArbitration.ZeroAddress.selector);
        this.createWith(address(0), governor, rules, new address[](0));
        vm.expectRevert(IArbitration.ZeroAddress.selector);
        this.createWith(address(escrow), address(0), rules, new address[](0));
        vm.expectRevert(IArbitration.ZeroAddress.selector);
        this.createWith(address(escrow), governor, rules, new address[](1));
        address[] memory twice = new address[](2);
        (twice[0], twice[1]) = (relayer, relayer);
        vm.expectRevert(abi.encodeWithSelector(IArbitration.AlreadyNamed.selector, relayer));
        this.createWith(address(escrow), governor, rules, twice);
    }

    function test_Constructor_RevertWhen_TheRulesAreOutOfRange() external {
        for (uint256 i; i < 9; ++i) {
            IArbitration.Rules memory rules = arbitrationRules();
            if (i == 0) rules.panel = 0;
            if (i == 1) rules.panel = 16;
            if (i == 2) rules.appeals = 4;
            if (i == 3) rules.penalty = rules.stake + 1;
            if (i == 4) rules.commitWindow = 0;
            if (i == 5) rules.revealWindow = 0;
            if (i == 6) rules.executionWindow = 0;
            if (i == 7) rules.unbonding = rules.commitWindow - 1;
            if (i == 8) rules.feePerSeat = type(uint104).max;
            vm.expectRevert(IArbitration.RulesOutOfRange.selector);
            this.createWith(address(escrow), governor, rules, new address[](0));
        }
    }
}
