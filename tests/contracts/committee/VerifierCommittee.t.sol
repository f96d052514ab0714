// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

import {IVerifierCommittee} from "../../../contracts/interfaces/IVerifierCommittee.sol";
import {Committee} from "../fixture/Committee.sol";

/// @notice `VerifierCommittee.tree`.
contract VerifierCommitteeTest is Committee {
    bytes32 private constant DIGEST = keccak256("attestation");

    IVerifierCommittee private committee;
    address[] private members;

    function setUp() public override {
        super.setUp();
        (committee, members) = committeeOf(2, 3);
    }

    function valid(bytes memory signatures) private view returns (bool) {
        return committee.isValidSignature(DIGEST, signatures) == IERC1271.isValidSignature.selector;
    }

    function expectAs(address caller, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(caller);
    }

    function about(bytes4 selector, address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, account);
    }

    // ---------------------------------------------------------------- signatures

    function test_ASignature_OfTheThresholdOrMore_IsValid() external view {
        vm.assertTrue(valid(votes(members, 0, 2, DIGEST)));
        vm.assertTrue(valid(votes(members, 1, 3, DIGEST)));
        vm.assertTrue(valid(votes(members, 0, 3, DIGEST)));
    }

    function test_ASignature_OfFewer_IsNot() external view {
        vm.assertFalse(valid(votes(members, 0, 1, DIGEST)));
        vm.assertFalse(valid(""));
    }

    function test_ASignature_WithAStranger_IsNot() external view {
        bytes memory stranger = sign(relayer, DIGEST);
        vm.assertFalse(valid(bytes.concat(sign(members[0], DIGEST), stranger)));
        vm.assertFalse(valid(bytes.concat(stranger, sign(members[0], DIGEST))));
        vm.assertFalse(valid(bytes.concat(votes(members, 0, 3, DIGEST), stranger)));
    }

    function test_ASignature_OfOneMemberTwice_IsNot() external view {
        bytes memory one = sign(members[0], DIGEST);
        vm.assertFalse(valid(bytes.concat(one, one)));
    }

    function test_ASignature_InDescendingOrder_IsNot() external view {
        vm.assertFalse(valid(bytes.concat(sign(members[1], DIGEST), sign(members[0], DIGEST))));
    }

    function test_ASignature_ThatIsCutOrNoise_IsNot() external view {
        bytes memory two = votes(members, 0, 2, DIGEST);
        assembly ("memory-safe") {
            mstore(two, 129)
        }
        vm.assertFalse(valid(two));
        vm.assertFalse(valid(new bytes(130)));
    }

    function test_ASignature_OfAnotherDigest_IsNot() external view {
        vm.assertFalse(valid(votes(members, 0, 2, keccak256("another"))));
    }

    function test_ASignature_OfANamedWhoHasNotJoined_IsNot() external {
        vm.prank(address(timelock));
        committee.name(relayer);
        bytes memory late = sign(relayer, DIGEST);
        bytes memory first = sign(members[0], DIGEST);
        vm.assertFalse(valid(members[0] < relayer ? bytes.concat(first, late) : bytes.concat(late, first)));
        joinAs(committee, relayer);
        vm.assertTrue(valid(members[0] < relayer ? bytes.concat(first, late) : bytes.concat(late, first)));
    }

    function test_ASignature_OfOneWhoIsLeaving_IsNot() external {
        vm.prank(members[0]);
        committee.leave();
        vm.assertFalse(valid(votes(members, 0, 2, DIGEST)));
        vm.assertTrue(valid(votes(members, 1, 3, DIGEST)));
    }

    function test_ASignature_OfMoreThanTheMostMembers_IsNot() external view {
        vm.assertFalse(valid(new bytes(33 * 65)));
    }

    // ---------------------------------------------------------------- join, leave, release

    function test_Join_StakesAndCounts() external {
        vm.prank(address(timelock));
        committee.name(relayer);
        fund(relayer, MEMBER_STAKE);
        vm.startPrank(relayer);
        credit.approve(address(committee), MEMBER_STAKE);
        vm.expectEmit(address(committee));
        emit IVerifierCommittee.MemberJoined(relayer, MEMBER_STAKE);
        committee.join();

        vm.assertTrue(committee.isMember(relayer));
        vm.assertEq(uint256(committee.memberOf(relayer).stake), MEMBER_STAKE);
        vm.assertEq(committee.members().length, 4);
        vm.assertEq(credit.balanceOf(address(committee)), 4 * uint256(MEMBER_STAKE));
    }

    function test_Join_RevertWhen_NotNamed() external {
        expectAs(relayer, about(IVerifierCommittee.NotNamed.selector, relayer));
        committee.join();
    }

    function test_Join_RevertWhen_JoinedBefore() external {
        expectAs(members[0], about(IVerifierCommittee.AlreadyJoined.selector, members[0]));
        committee.join();
    }

    function test_Join_RevertWhen_AnOldStakeIsUnreleased() external {
        vm.startPrank(members[0]);
        committee.leave();
        vm.expectRevert(abi.encodeWithSelector(IVerifierCommittee.StillStaked.selector, members[0], MEMBER_STAKE));
        committee.join();
    }

    function test_Join_RevertWhen_TheCommitteeIsFull() external {
        address[] memory crowd = people(33);
        IVerifierCommittee large = deployCommittee(1, crowd);
        for (uint256 i; i < 32; ++i) {
            joinAs(large, crowd[i]);
        }
        expectAs(crowd[32], abi.encodeWithSelector(IVerifierCommittee.TooManyMembers.selector, 33, 32));
        large.join();
    }

    function test_Leave_CountsNoLonger() external {
        vm.expectEmit(address(committee));
        emit IVerifierCommittee.MemberLeaving(members[1], uint40(START));
        vm.prank(members[1]);
        committee.leave();
        vm.assertFalse(committee.isMember(members[1]));
        vm.assertEq(committee.members().length, 2);
    }

    function test_Leave_RevertWhen_NotJoined() external {
        expectAs(relayer, about(IVerifierCommittee.NotJoined.selector, relayer));
        committee.leave();
    }

    function test_Release_PaysTheStake_AfterUnbonding() external {
        vm.startPrank(members[1]);
        committee.leave();
        vm.warp(START + MEMBER_UNBONDING + 1);
        vm.expectEmit(address(committee));
        emit IVerifierCommittee.MemberLeft(members[1], MEMBER_STAKE);
        committee.release();
        vm.assertEq(credit.balanceOf(members[1]), MEMBER_STAKE);
        credit.approve(address(committee), MEMBER_STAKE);
        committee.join();
        vm.assertTrue(committee.isMember(members[1]));
    }

    function test_Release_RevertWhen_NotLeaving() external {
        expectAs(members[1], about(IVerifierCommittee.NotJoined.selector, members[1]));
        committee.release();
    }

    function test_Release_RevertWhen_StillUnbonding() external {
        vm.prank(members[1]);
        committee.leave();
        uint256 due = START + MEMBER_UNBONDING;
        vm.warp(due);
        expectAs(members[1], abi.encodeWithSelector(IVerifierCommittee.StillUnbonding.selector, due, due));
        committee.release();
    }

    // ---------------------------------------------------------------- fees

    function earn(uint104 amount) private {
        endow(address(committee), amount);
    }

    function test_Collect_SharesEvenly_AndKeepsWhatDoesNotDivide() external {
        earn(10);
        vm.expectEmit(address(committee));
        emit IVerifierCommittee.FeesShared(10, 3, 3);
        committee.collect();
        for (uint256 i; i < 3; ++i) {
            vm.assertEq(uint256(committee.memberOf(members[i]).fees), 3);
        }
        vm.assertEq(uint256(escrow.accountOf(address(committee)).free), 0);

        // One atom was kept, and two make three.
        earn(2);
        committee.collect();
        vm.assertEq(uint256(committee.memberOf(members[0]).fees), 4);
        vm.assertEq(credit.balanceOf(address(committee)), 3 * uint256(MEMBER_STAKE) + 12);
    }

    function test_Collect_SharesAmongThoseWhoCountThen() external {
        vm.prank(members[0]);
        committee.leave();
        earn(10);
        committee.collect();
        vm.assertEq(uint256(committee.memberOf(members[0]).fees), 0);
        vm.assertEq(uint256(committee.memberOf(members[1]).fees), 5);
    }

    function test_Collect_RevertWhen_NothingIsNew() external {
        vm.expectRevert(abi.encodeWithSelector(IVerifierCommittee.NothingToShare.selector, 0, 3));
        committee.collect();
    }

    function test_Collect_RevertWhen_NobodyCounts() external {
        for (uint256 i; i < 3; ++i) {
            vm.prank(members[i]);
            committee.leave();
        }
        earn(10);
        vm.expectRevert(abi.encodeWithSelector(IVerifierCommittee.NothingToShare.selector, 10, 0));
        committee.collect();
    }

    function test_WithdrawFees_PaysOnce() external {
        earn(30);
        committee.collect();
        vm.startPrank(members[2]);
        vm.expectEmit(address(committee));
        emit IVerifierCommittee.FeesWithdrawn(members[2], relayer, 10);
        committee.withdrawFees(relayer);
        committee.withdrawFees(relayer);
        vm.assertEq(credit.balanceOf(relayer), 10);
    }

    function test_WithdrawFees_RevertWhen_TheReceiverIsZero() external {
        expectAs(members[0], abi.encodeWithSelector(IVerifierCommittee.ZeroAddress.selector));
        committee.withdrawFees(address(0));
    }

    function testFuzz_StakesAndFees_AreAlwaysCovered(uint104 first, uint104 second) external {
        earn(uint104(bound(first, 1, 1e24)));
        committee.collect();
        vm.prank(members[0]);
        committee.leave();
        earn(uint104(bound(second, 1, 1e24)));
        committee.collect();
        vm.warp(START + MEMBER_UNBONDING + 1);
        vm.prank(members[0]);
        committee.release();
        uint256 owed;
        for (uint256 i; i < 3; ++i) {
            IVerifierCommittee.Member memory member = committee.memberOf(members[i]);
            owed += uint256(member.stake) + member.fees;
        }
        vm.assertGe(credit.balanceOf(address(committee)), owed);
        vm.assertLt(credit.balanceOf(address(committee)) - owed, 3);
    }

    // ---------------------------------------------------------------- rotation

    function test_Name_RevertWhen_TheCallerIsNotTheTimelock() external {
        expectAs(
            governor, abi.encodeWithSelector(IVerifierCommittee.CallerNotOwner.selector, governor, address(timelock))
        );
        committee.name(relayer);
    }

    function test_Name_RevertWhen_NamedBefore() external {
        expectAs(address(timelock), about(IVerifierCommittee.AlreadyNamed.selector, members[0]));
        committee.name(members[0]);
    }

    function test_Name_RevertWhen_Zero() external {
        expectAs(address(timelock), abi.encodeWithSelector(IVerifierCommittee.ZeroAddress.selector));
        committee.name(address(0));
    }

    function test_Dismiss_OfACountingMember_StartsItsUnbonding() external {
        vm.expectEmit(address(committee));
        emit IVerifierCommittee.MemberDismissed(members[0]);
        vm.prank(address(timelock));
        committee.dismiss(members[0]);
        vm.assertFalse(committee.isMember(members[0]));
        vm.warp(START + MEMBER_UNBONDING + 1);
        vm.prank(members[0]);
        committee.release();
        vm.assertEq(credit.balanceOf(members[0]), MEMBER_STAKE);
        expectAs(members[0], about(IVerifierCommittee.NotNamed.selector, members[0]));
        committee.join();
    }

    function test_Dismiss_OfANamedWhoHasNotJoined() external {
        vm.startPrank(address(timelock));
        committee.name(relayer);
        committee.dismiss(relayer);
        vm.assertFalse(committee.memberOf(relayer).named);
    }

    function test_Dismiss_RevertWhen_NotNamed() external {
        expectAs(address(timelock), about(IVerifierCommittee.NotNamed.selector, relayer));
        committee.dismiss(relayer);
    }

    function test_Dismiss_RevertWhen_TheCallerIsNotTheTimelock() external {
        expectAs(
            guardian, abi.encodeWithSelector(IVerifierCommittee.CallerNotOwner.selector, guardian, address(timelock))
        );
        committee.dismiss(members[0]);
    }

    // ---------------------------------------------------------------- birth

    function createCommittee(address escrow_, address owner, uint256 threshold, address[] calldata named) external {
        create("VerifierCommittee.sol", abi.encode(escrow_, owner, threshold, MEMBER_STAKE, MEMBER_UNBONDING, named));
    }

    function test_Constructor_RevertWhen_AnAddressIsZero() external {
        vm.expectRevert(IVerifierCommittee.ZeroAddress.selector);
        this.createCommittee(address(0), governor, 1, new address[](0));
        vm.expectRevert(IVerifierCommittee.ZeroAddress.selector);
        this.createCommittee(address(escrow), address(0), 1, new address[](0));
        vm.expectRevert(IVerifierCommittee.ZeroAddress.selector);
        this.createCommittee(address(escrow), governor, 1, new address[](1));
    }

    function test_Constructor_RevertWhen_TheThresholdIsOutOfRange() external {
        uint256[2] memory thresholds = [uint256(0), 33];
        for (uint256 i; i < 2; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(IVerifierCommittee.ThresholdOutOfRange.selector, thresholds[i], 1, 32)
            );
            this.createCommittee(address(escrow), governor, thresholds[i], new address[](0));
        }
    }

    function test_Constructor_RevertWhen_AMemberIsNamedTwice() external {
        address[] memory named = new address[](2);
        (named[0], named[1]) = (relayer, relayer);
        vm.expectRevert(about(IVerifierCommittee.AlreadyNamed.selector, relayer));
        this.createCommittee(address(escrow), governor, 1, named);
    }
}
