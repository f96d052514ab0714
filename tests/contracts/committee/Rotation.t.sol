// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IVerifierCommittee} from "../../../contracts/interfaces/IVerifierCommittee.sol";
import {SeatSet} from "../../../contracts/libraries/SeatSet.sol";
import {CommitteeTest} from "./CommitteeTest.sol";

/// @notice `VerifierCommittee.tree`: constructor, join, rotate, leave, release, name, dismiss.
contract CommitteeRotationTest is CommitteeTest {
    function wrongDuty(address member, IVerifierCommittee.Duty current) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IVerifierCommittee.WrongDuty.selector, member, current);
    }

    function nameAs(address caller, address member) private {
        vm.prank(caller);
        committee.name(member);
    }

    // ---------------------------------------------------------------- join and rotate

    function test_Join_Stakes_AndServesAfterTheDelay() external {
        nameAs(address(timelock), relayer);
        fund(relayer, MEMBER_STAKE);
        vm.startPrank(relayer);
        credit.approve(address(committee), MEMBER_STAKE);
        vm.expectEmit(address(committee));
        emit IVerifierCommittee.MemberJoined(relayer, MEMBER_STAKE);
        committee.join();
        vm.stopPrank();

        vm.assertFalse(committee.isMember(relayer));
        vm.assertEq(credit.balanceOf(address(committee)), 4 * uint256(MEMBER_STAKE));
        uint256 due = START + ROTATION_DELAY;
        vm.warp(due - 1);
        vm.expectRevert(abi.encodeWithSelector(IVerifierCommittee.TooEarly.selector, due - 1, due));
        committee.rotate(relayer);
        vm.warp(due);
        vm.expectEmit(address(committee));
        emit IVerifierCommittee.MemberServing(relayer, 3, uint40(block.number));
        committee.rotate(relayer);
        vm.assertTrue(committee.isMember(relayer));
        vm.assertEq(committee.members().length, 4);
    }

    function test_Join_RevertWhen_NotNamed() external {
        expectAs(relayer, about(IVerifierCommittee.NotNamed.selector, relayer));
        committee.join();
    }

    function test_Join_RevertWhen_JoinedBefore_OrAnOldStakeIsUnreleased() external {
        expectAs(members[0], wrongDuty(members[0], IVerifierCommittee.Duty.Serving));
        committee.join();
        vm.prank(members[0]);
        committee.leave();
        rotateInTime(committee, members[0]);
        expectAs(members[0], wrongDuty(members[0], IVerifierCommittee.Duty.Left));
        committee.join();
    }

    function test_Rotate_RevertWhen_TheCommitteeIsFull() external {
        address[] memory crowd = people(33);
        committee = deployCommittee(1, 1, crowd);
        for (uint256 i; i < 33; ++i) {
            joinAs(committee, crowd[i]);
            if (i < 32) rotateInTime(committee, crowd[i]);
        }
        vm.warp(START + ROTATION_DELAY);
        vm.expectRevert(abi.encodeWithSelector(SeatSet.NoFreeSeat.selector, 32));
        committee.rotate(crowd[32]);
    }

    /// @dev The jobs of that block are of the member that left; two members with one seat could each ask for its share.
    function test_Rotate_RevertWhen_TheSeatWasLeftInThisBlock() external {
        vm.prank(members[0]);
        committee.leave();
        vm.prank(address(timelock));
        committee.name(relayer);
        joinAs(committee, relayer);
        vm.warp(block.timestamp + ROTATION_DELAY);
        committee.rotate(members[0]);
        vm.expectRevert(abi.encodeWithSelector(IVerifierCommittee.TooEarly.selector, block.number, block.number + 1));
        committee.rotate(relayer);
        vm.roll(block.number + 1);
        committee.rotate(relayer);
        vm.assertTrue(committee.isMember(relayer));
    }

    function test_Rotate_RevertWhen_NothingIsUnderWay() external {
        vm.expectRevert(wrongDuty(members[0], IVerifierCommittee.Duty.Serving));
        committee.rotate(members[0]);
        vm.expectRevert(wrongDuty(relayer, IVerifierCommittee.Duty.None));
        committee.rotate(relayer);
    }

    // ---------------------------------------------------------------- leave and release

    function test_Leave_ServesUntilTheDelayIsOver() external {
        vm.expectEmit(address(committee));
        emit IVerifierCommittee.MemberLeaving(members[1], uint40(START));
        vm.prank(members[1]);
        committee.leave();
        vm.assertTrue(committee.isMember(members[1]));
        vm.assertEq(committee.members().length, 3);
        vm.warp(START + ROTATION_DELAY - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IVerifierCommittee.TooEarly.selector, block.timestamp, block.timestamp + 1)
        );
        committee.rotate(members[1]);
        vm.warp(START + ROTATION_DELAY);
        committee.rotate(members[1]);
        vm.assertFalse(committee.isMember(members[1]));
        vm.assertEq(committee.members().length, 2);
    }

    function test_Leave_OfOneWhoIsJoining_NeverServes() external {
        nameAs(address(timelock), relayer);
        joinAs(committee, relayer);
        vm.prank(relayer);
        committee.leave();
        vm.assertEq(duty(relayer), uint256(IVerifierCommittee.Duty.Left));
        vm.warp(START + MEMBER_UNBONDING + 1);
        vm.prank(relayer);
        committee.release();
        vm.assertEq(credit.balanceOf(relayer), MEMBER_STAKE);
    }

    function test_Leave_RevertWhen_NotServing() external {
        expectAs(relayer, wrongDuty(relayer, IVerifierCommittee.Duty.None));
        committee.leave();
    }

    function test_Release_PaysTheStake_AfterUnbonding_AndLetsJoinAgain() external {
        vm.prank(members[1]);
        committee.leave();
        vm.warp(START + ROTATION_DELAY);
        committee.rotate(members[1]);
        uint256 due = block.timestamp + MEMBER_UNBONDING;
        vm.warp(due);
        expectAs(members[1], abi.encodeWithSelector(IVerifierCommittee.StillUnbonding.selector, due, due));
        committee.release();
        vm.warp(due + 1);
        vm.expectEmit(address(committee));
        emit IVerifierCommittee.MemberLeft(members[1], MEMBER_STAKE);
        vm.prank(members[1]);
        committee.release();
        vm.assertEq(credit.balanceOf(members[1]), MEMBER_STAKE);
        joinAs(committee, members[1]);
        rotateInTime(committee, members[1]);
        vm.assertTrue(committee.isMember(members[1]));
    }

    function test_Release_RevertWhen_NotLeft() external {
        expectAs(members[1], wrongDuty(members[1], IVerifierCommittee.Duty.Serving));
        committee.release();
    }

    // ---------------------------------------------------------------- name and dismiss

    function test_Name_RevertWhen_NotByTheTimelock_NamedBefore_OrZero() external {
        expectAs(
            governor, abi.encodeWithSelector(IVerifierCommittee.CallerNotOwner.selector, governor, address(timelock))
        );
        committee.name(relayer);
        expectAs(address(timelock), about(IVerifierCommittee.AlreadyNamed.selector, members[0]));
        committee.name(members[0]);
        expectAs(address(timelock), abi.encodeWithSelector(IVerifierCommittee.ZeroAddress.selector));
        committee.name(address(0));
    }

    /// @dev Not even the owner can change who decides a job that is open.
    function test_Dismiss_TakesEffectAfterTheDelay() external {
        vm.expectEmit(address(committee));
        emit IVerifierCommittee.MemberDismissed(members[0]);
        vm.prank(address(timelock));
        committee.dismiss(members[0]);
        vm.assertTrue(committee.isMember(members[0]));
        vm.warp(START + ROTATION_DELAY);
        committee.rotate(members[0]);
        vm.assertFalse(committee.isMember(members[0]));
        vm.warp(block.timestamp + MEMBER_UNBONDING + 1);
        vm.prank(members[0]);
        committee.release();
        expectAs(members[0], about(IVerifierCommittee.NotNamed.selector, members[0]));
        committee.join();
    }

    function test_Dismiss_OfANamed_AndOfOneWhoIsJoining() external {
        nameAs(address(timelock), relayer);
        joinAs(committee, relayer);
        nameAs(address(timelock), sponsor);
        vm.startPrank(address(timelock));
        committee.dismiss(relayer);
        committee.dismiss(sponsor);
        vm.assertEq(duty(relayer), uint256(IVerifierCommittee.Duty.Left));
        vm.assertFalse(committee.memberOf(sponsor).named);
    }

    function test_Dismiss_RevertWhen_NotByTheTimelock_OrNotNamed() external {
        expectAs(
            guardian, abi.encodeWithSelector(IVerifierCommittee.CallerNotOwner.selector, guardian, address(timelock))
        );
        committee.dismiss(members[0]);
        expectAs(address(timelock), about(IVerifierCommittee.NotNamed.selector, relayer));
        committee.dismiss(relayer);
    }

    // ---------------------------------------------------------------- birth

    function createCommittee(address escrow_, address owner, uint8 threshold, uint8 panelSize, address[] calldata named)
        external
    {
        create("VerifierCommittee", abi.encode(escrow_, owner, rulesOf(threshold, panelSize), named));
    }

    function test_Rules_AreThoseOfItsBirth() external view {
        vm.assertEq(keccak256(abi.encode(committee.rules())), keccak256(abi.encode(rulesOf(2, 3))));
    }

    function test_Constructor_RevertWhen_AnAddressIsZero() external {
        vm.expectRevert(IVerifierCommittee.ZeroAddress.selector);
        this.createCommittee(address(0), governor, 1, 1, new address[](0));
        vm.expectRevert(IVerifierCommittee.ZeroAddress.selector);
        this.createCommittee(address(escrow), address(0), 1, 1, new address[](0));
        vm.expectRevert(IVerifierCommittee.ZeroAddress.selector);
        this.createCommittee(address(escrow), governor, 1, 1, new address[](1));
    }

    function test_Constructor_RevertWhen_ASizeIsOutOfRange() external {
        uint8[2] memory sizes = [0, 33];
        for (uint256 i; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IVerifierCommittee.PanelOutOfRange.selector, sizes[i], 1, 32));
            this.createCommittee(address(escrow), governor, 1, sizes[i], new address[](0));
        }
        uint8[2] memory thresholds = [0, 4];
        for (uint256 i; i < 2; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(IVerifierCommittee.ThresholdOutOfRange.selector, thresholds[i], 1, 3)
            );
            this.createCommittee(address(escrow), governor, thresholds[i], 3, new address[](0));
        }
    }

    function test_Constructor_RevertWhen_AMemberIsNamedTwice() external {
        address[] memory named = new address[](2);
        (named[0], named[1]) = (relayer, relayer);
        vm.expectRevert(about(IVerifierCommittee.AlreadyNamed.selector, relayer));
        this.createCommittee(address(escrow), governor, 1, 1, named);
    }
}
