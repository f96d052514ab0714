// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

import {Attestation, Verdict} from "../../../contracts/types/Attestation.sol";
import {Settlement} from "../../../contracts/types/Settlement.sol";
import {CommitteeTest} from "./CommitteeTest.sol";

/// @notice `VerifierCommittee.tree`: isValidSignature.
contract CommitteeSignaturesTest is CommitteeTest {
    Attestation private a;
    bytes32 private digest;

    function setUp() public override {
        super.setUp();
        open(committeeTerms());
        a = statement(committeeTerms(), Verdict.Pass, 600, true);
        digest = escrow.attestationDigest(a);
    }

    function test_OfTheThresholdOrMore_IsValid() external view {
        vm.assertTrue(valid(a, committeeSignature(a, members, 0, 2)));
        vm.assertTrue(valid(a, committeeSignature(a, members, 1, 3)));
        vm.assertTrue(valid(a, committeeSignature(a, members, 0, 3)));
    }

    function test_OfFewer_IsNot() external view {
        vm.assertFalse(valid(a, committeeSignature(a, members, 0, 1)));
        vm.assertFalse(valid(a, abi.encode(a)));
        vm.assertFalse(valid(a, ""));
    }

    function test_WithAStranger_IsNot() external view {
        bytes memory stranger = sign(relayer, digest);
        bytes memory member = sign(members[0], digest);
        vm.assertFalse(valid(a, bytes.concat(abi.encode(a), member, stranger)));
        vm.assertFalse(valid(a, bytes.concat(abi.encode(a), stranger, member)));
        vm.assertFalse(valid(a, bytes.concat(committeeSignature(a, members, 0, 3), stranger)));
    }

    function test_OfOneMemberTwice_IsNot() external view {
        bytes memory one = sign(members[0], digest);
        vm.assertFalse(valid(a, bytes.concat(abi.encode(a), one, one)));
    }

    function test_InDescendingOrder_IsNot() external view {
        vm.assertFalse(valid(a, bytes.concat(abi.encode(a), sign(members[1], digest), sign(members[0], digest))));
    }

    function test_ThatIsCutOrNoise_IsNot() external view {
        bytes memory cut = committeeSignature(a, members, 0, 3);
        assembly ("memory-safe") {
            mstore(cut, sub(mload(cut), 1))
        }
        vm.assertFalse(valid(a, cut));
        vm.assertFalse(valid(a, new bytes(256 + 130)));
        vm.assertFalse(valid(a, bytes.concat(abi.encode(a), new bytes(130))));
        vm.assertFalse(valid(a, bytes.concat(abi.encode(a), new bytes(33 * 65))));
    }

    function testFuzz_Noise_IsNot(bytes memory noise) external view {
        vm.assertFalse(valid(a, noise));
        vm.assertFalse(valid(a, bytes.concat(abi.encode(a), noise)));
    }

    function test_OfAnotherDigest_IsNot() external view {
        Attestation memory other = a;
        other.units = 601;
        vm.assertFalse(valid(other, committeeSignature(a, members, 0, 2)));
        vm.assertFalse(valid(other, bytes.concat(abi.encode(a), votes(members, 0, 2, escrow.attestationDigest(other)))));
    }

    /// @dev So a committee can be neither a payer, nor an arbiter, whatever its members sign.
    function test_OfAnyOtherStatement_IsNot() external view {
        Settlement memory s = settlement(committeeTerms(), 600);
        bytes32 other = escrow.settlementDigest(s);
        bytes memory signature = bytes.concat(abi.encode(a), votes(members, 0, 3, other));
        vm.assertEq(bytes32(committee.isValidSignature(other, signature)), bytes32(bytes4(0xffffffff)), "no settlement");
    }

    function test_OfAJobThatWasNeverOpened_IsNot() external view {
        Attestation memory other = a;
        other.job = escrow.jobIdOf(slowTerms());
        vm.assertFalse(valid(other, committeeSignature(other, members, 0, 3)));
    }

    function test_OfOneWhoIsLeaving_IsValid_UntilTheDelayIsOver() external {
        vm.prank(members[0]);
        committee.leave();
        vm.assertTrue(valid(a, committeeSignature(a, members, 0, 2)));
        rotateInTime(committee, members[0]);
        vm.assertFalse(valid(a, committeeSignature(a, members, 0, 2)));
        vm.assertTrue(valid(a, committeeSignature(a, members, 1, 3)));
    }

    function test_OfOneWhoRetiredInALaterBlock_IsNot_ThoughItStillSitsOnThePanel() external {
        vm.roll(block.number + 1);
        vm.prank(members[0]);
        committee.leave();
        rotateInTime(committee, members[0]);
        vm.assertEq(committee.panelOf(a.job).length, 3);
        vm.assertFalse(valid(a, committeeSignature(a, members, 0, 2)));
        vm.assertTrue(valid(a, committeeSignature(a, members, 1, 3)));
    }

    function test_OfOneWhoBeganToServeAfterTheOpening_IsNot() external {
        vm.prank(address(timelock));
        committee.name(relayer);
        joinAs(committee, relayer);
        vm.roll(block.number + 1);
        rotateInTime(committee, relayer);
        bytes memory late = sign(relayer, digest);
        bytes memory first = sign(members[0], digest);
        vm.assertFalse(
            valid(
                a,
                bytes.concat(
                    abi.encode(a), members[0] < relayer ? bytes.concat(first, late) : bytes.concat(late, first)
                )
            )
        );
        vm.assertTrue(valid(a, committeeSignature(a, members, 0, 2)));
    }

    /// @dev The seat of one who retired goes to the next: the jobs of its time are not the next one's.
    function test_OfOneWhoTookAFreedSeat_IsNotForEarlierJobs() external {
        replaceTheFirst();
        vm.assertEq(committee.panelOf(a.job).length, 2);
        bytes memory signed = bytes.concat(abi.encode(a), sign(relayer, digest));
        vm.assertFalse(valid(a, bytes.concat(signed, sign(members[2], digest))));
    }

    function test_TheEscrow_TakesIt() external {
        escrow.attest(committeeTerms(), a, committeeSignature(a, members, 1, 3));
        vm.assertTrue(escrow.jobOf(a.job).verifierPaid);
    }
}
