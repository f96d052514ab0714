// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IVerifierCommittee} from "../../../contracts/interfaces/IVerifierCommittee.sol";
import {SeatSet} from "../../../contracts/libraries/SeatSet.sol";
import {Attestation, Verdict} from "../../../contracts/types/Attestation.sol";
import {JobId} from "../../../contracts/types/JobId.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {CommitteeTest} from "./CommitteeTest.sol";

/// @notice `VerifierCommittee.tree`: panelOf, recordBlock.
contract CommitteePanelsTest is CommitteeTest {
    using SeatSet for uint256;

    uint256 private constant SERVING = 10;

    function setUp() public override {
        super.setUp();
        (committee, members) = committeeOf(2, 3, SERVING);
        vm.roll(1_000);
    }

    function hashOfPanel(JobId job) private view returns (bytes32) {
        return keccak256(abi.encode(committee.panelOf(job)));
    }

    function test_ASmallCommittee_SeatsAll() external {
        (committee, members) = committeeOf(2, 3, 3);
        JobId job = open(committeeTerms());
        vm.assertEq(committee.panelOf(job).length, 3);
    }

    function test_InTheBlockOfTheOpening_NobodyIsDrawn() external {
        Terms memory t = committeeTerms();
        JobId job = open(t);
        vm.assertEq(committee.panelOf(job).length, 0);
        Attestation memory a = statement(t, Verdict.Pass, 600, true);
        vm.assertFalse(valid(a, committeeSignature(a, members, 0, SERVING)));
    }

    function test_AfterTheOpening_ThePanelIsThree_AndOnlyItsSignaturesCount() external {
        Terms memory t = committeeTerms();
        JobId job = open(t);
        vm.roll(block.number + 1);
        address[] memory panel = committee.panelOf(job);
        vm.assertEq(panel.length, 3);
        Attestation memory a = statement(t, Verdict.Pass, 600, true);
        uint256 quorums;
        for (uint256 i; i < SERVING; ++i) {
            for (uint256 j = i + 1; j < SERVING; ++j) {
                address[] memory two = new address[](2);
                (two[0], two[1]) = (members[i], members[j]);
                if (valid(a, committeeSignature(a, two, 0, 2))) ++quorums;
            }
        }
        vm.assertEq(quorums, 3);
    }

    function test_ThePanel_StaysWhoeverJoinsAndRetires() external {
        JobId job = open(committeeTerms());
        vm.roll(block.number + 1);
        bytes32 drawn = hashOfPanel(job);
        vm.prank(address(timelock));
        committee.name(relayer);
        joinAs(committee, relayer);
        rotateInTime(committee, relayer);
        for (uint256 i; i < 3; ++i) {
            vm.prank(members[i]);
            committee.leave();
            vm.roll(block.number + 1);
            rotateInTime(committee, members[i]);
        }
        vm.assertEq(hashOfPanel(job), drawn);
        vm.assertEq(committee.members().length, SERVING - 2);
    }

    function test_ARecordedBlock_KeepsThePanel() external {
        JobId job = open(committeeTerms());
        vm.roll(block.number + 256);
        bytes32 drawn = hashOfPanel(job);
        committee.recordBlock(1_000);
        vm.assertEq(committee.recordedBlock(1_000), blockhash(1_000));
        vm.roll(block.number + 1);
        vm.assertEq(blockhash(1_000), bytes32(0));
        vm.assertEq(hashOfPanel(job), drawn);
        vm.assertEq(committee.panelOf(job).length, 3);
    }

    function test_AForgottenBlock_LetsAllSign() external {
        Terms memory t = committeeTerms();
        JobId job = open(t);
        vm.roll(block.number + 257);
        vm.assertEq(committee.panelOf(job).length, SERVING);
        Attestation memory a = statement(t, Verdict.Pass, 600, true);
        vm.assertTrue(valid(a, committeeSignature(a, members, 0, 2)));
        vm.assertTrue(valid(a, committeeSignature(a, members, SERVING - 2, SERVING)));
    }

    function test_RecordBlock_RevertWhen_OutOfReach() external {
        bytes4 reason = IVerifierCommittee.BlockNotInReach.selector;
        vm.expectRevert(abi.encodeWithSelector(reason, 743, 744, 999));
        committee.recordBlock(743);
        vm.expectRevert(abi.encodeWithSelector(reason, 1_000, 744, 999));
        committee.recordBlock(1_000);
    }

    function test_APanelOfAnUnknownJob_IsEmpty() external view {
        vm.assertEq(committee.panelOf(JobId.wrap(keccak256("no job"))).length, 0);
    }

    // ---------------------------------------------------------------- lots

    function testFuzz_Lots_AreThatManyOfTheSet(uint256 seats, uint8 size, bytes32 seed) external pure {
        uint256 number = seats.count();
        uint256 drawn = seats.draw(number, size, seed);
        vm.assertEq(drawn & ~seats, 0);
        vm.assertEq(drawn.count(), size < number ? size : number);
    }

    function test_Lots_FallOnEachSeatAboutAsOften() external pure {
        uint256 seats = 0xf0f3; // ten seats
        uint256[16] memory hits;
        for (uint256 i; i < 2_000; ++i) {
            uint256 drawn = seats.draw(10, 3, keccak256(abi.encode(i)));
            for (uint256 seat; seat < 16; ++seat) {
                if (drawn.has(seat)) ++hits[seat];
            }
        }
        for (uint256 seat; seat < 16; ++seat) {
            // 600 expected, standard deviation 20.5.
            if (seats.has(seat)) vm.assertLt(hits[seat] > 600 ? hits[seat] - 600 : 600 - hits[seat], 90);
            else vm.assertEq(hits[seat], 0);
        }
    }
}
