// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IVerifierCommittee} from "../../../contracts/interfaces/IVerifierCommittee.sol";
import {Attestation, Verdict} from "../../../contracts/types/Attestation.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {CommitteeTest} from "./CommitteeTest.sol";

/// @notice `VerifierCommittee.tree`: slash. A provider and two of three verifiers act together, and an arbiter finds out.
contract CommitteeSlashingTest is CommitteeTest {
    /// @dev A pass that can be disputed.
    function contestable() private view returns (Terms memory t) {
        t = slowTerms();
        t.verifier = address(committee);
    }

    function ruledOn(Terms memory t, Verdict verdict, uint64 attestedUnits, uint64 ruledUnits, uint16 slashBps)
        private
        returns (Attestation memory a)
    {
        a = attested(t, verdict, attestedUnits, 0, 2);
        disputeAs(verdict == Verdict.Pass ? t.buyer : t.provider, t);
        rule(t, ruling(t, ruledUnits, slashBps, 0));
    }

    function slashAs(address caller, Terms memory t, Attestation memory a, uint256 from, uint256 to) private {
        bytes memory signatures = votes(members, from, to, escrow.attestationDigest(a));
        vm.prank(caller);
        committee.slash(t, a, signatures);
    }

    function slashNow(Terms memory t, Attestation memory a, bytes memory signatures) external {
        committee.slash(t, a, signatures);
    }

    function assertNotProven(Terms memory t, Attestation memory a) private {
        bytes memory signatures = votes(members, 0, 2, escrow.attestationDigest(a));
        vm.expectRevert(about(IVerifierCommittee.NotProvenWrong.selector, a.job));
        this.slashNow(t, a, signatures);
    }

    function test_AWrongPass_CostsItsSignersTheirStakes() external {
        Terms memory t = contestable();
        Attestation memory a = ruledOn(t, Verdict.Pass, 900, 0, 10_000);
        uint256 stakes = 2 * uint256(MEMBER_STAKE);

        slashAs(relayer, t, a, 0, 2);

        vm.assertEq(credit.balanceOf(relayer), stakes / 10);
        vm.assertEq(credit.balanceOf(buyer), stakes - stakes / 10);
        for (uint256 i; i < 2; ++i) {
            vm.assertFalse(committee.isMember(members[i]));
            vm.assertEq(uint256(committee.memberOf(members[i]).stake), 0);
        }
        vm.assertEq(committee.members().length, 1);
        vm.assertEq(credit.balanceOf(address(committee)), MEMBER_STAKE);
    }

    function test_AWrongFail_PaysTheProvider() external {
        Terms memory t = contestable();
        Attestation memory a = ruledOn(t, Verdict.Fail, 0, 900, 0);
        slashAs(relayer, t, a, 1, 2);
        vm.assertEq(credit.balanceOf(provider), MEMBER_STAKE - MEMBER_STAKE / 10);
        vm.assertTrue(committee.isMember(members[0]));
    }

    /// @dev A member cannot run from what it signed: its stake outlasts the ruling.
    function test_OneWhoRetiredSince_IsSlashedToo() external {
        Terms memory t = contestable();
        Attestation memory a = attested(t, Verdict.Pass, 900, 0, 2);
        vm.prank(members[0]);
        committee.leave();
        rotateInTime(committee, members[0]);
        disputeAs(buyer, t);
        rule(t, ruling(t, 0, 5_000, 0));
        slashAs(relayer, t, a, 0, 1);
        vm.assertEq(uint256(committee.memberOf(members[0]).stake), 0);
        vm.warp(block.timestamp + ROTATION_DELAY + MEMBER_UNBONDING + 1);
        uint256 before = credit.balanceOf(members[0]);
        vm.prank(members[0]);
        committee.release();
        vm.assertEq(credit.balanceOf(members[0]), before);
    }

    function test_ASlashedSigner_CountsNoLonger_ForOpenJobs() external {
        Terms memory t = contestable();
        Attestation memory a = ruledOn(t, Verdict.Pass, 900, 0, 10_000);
        Terms memory other = committeeTerms();
        open(other);
        slashAs(relayer, t, a, 0, 2);
        Attestation memory next = statement(other, Verdict.Pass, 600, true);
        vm.assertFalse(valid(next, committeeSignature(next, members, 0, 2)));
    }

    function test_Slash_RevertWhen_NotWrong() external {
        Terms memory t = contestable();
        assertNotProven(t, ruledOn(t, Verdict.Pass, 900, 900, 0)); // upheld
        t.nonce = 2;
        assertNotProven(t, ruledOn(t, Verdict.Pass, 900, 400, 0)); // less, and nobody at fault
        t.nonce = 3;
        assertNotProven(t, ruledOn(t, Verdict.Pass, 900, 900, 100)); // paid in full
        t.nonce = 4;
        assertNotProven(t, ruledOn(t, Verdict.Fail, 0, 0, 10_000)); // upheld
        t.nonce = 5;
        assertNotProven(t, ruledOn(t, Verdict.Fail, 0, 0, 0)); // nothing delivered, nobody at fault
        t.nonce = 6;
        open(t);
        Attestation memory a = statement(t, Verdict.NoFault, 0, true);
        noFaultBy(t, a);
        disputeAs(buyer, t);
        rule(t, ruling(t, 0, 10_000, 0));
        assertNotProven(t, a);
    }

    function noFaultBy(Terms memory t, Attestation memory a) private {
        escrow.attest(t, a, committeeSignature(a, members, 0, 2));
    }

    function test_Slash_RevertWhen_NoRulingWasMade() external {
        Terms memory t = contestable();
        Attestation memory a = attested(t, Verdict.Pass, 900, 0, 2);
        assertNotProven(t, a);
        disputeAs(buyer, t);
        passDeadline(t);
        finalize(t);
        assertNotProven(t, a);
    }

    /// @dev Parties that are one and the same could name an arbiter of their own and rule against honest members.
    function test_Slash_RevertWhen_TheArbiterIsNotTheCommittees() external {
        Terms memory t = contestable();
        t.arbiter = relayer;
        Attestation memory a = ruledOn(t, Verdict.Pass, 900, 0, 10_000);
        bytes memory signatures = votes(members, 0, 2, escrow.attestationDigest(a));
        vm.expectRevert(about(IVerifierCommittee.NotOurArbiter.selector, relayer));
        this.slashNow(t, a, signatures);
    }

    function test_Slash_RevertWhen_TheCommitteeHasNoArbiter() external {
        IVerifierCommittee.Rules memory rules = rulesOf(2, 3);
        rules.arbiter = address(0);
        committee =
            IVerifierCommittee(create("VerifierCommittee", abi.encode(escrow, timelock, rules, new address[](0))));
        Terms memory t = contestable();
        t.arbiter = address(0);
        open(t);
        Attestation memory a = statement(t, Verdict.Pass, 1, true);
        vm.expectRevert(about(IVerifierCommittee.NotOurArbiter.selector, address(0)));
        this.slashNow(t, a, new bytes(65));
    }

    function test_Slash_RevertWhen_ItIsNoSignatureOfAMember() external {
        Terms memory t = contestable();
        Attestation memory a = ruledOn(t, Verdict.Pass, 900, 0, 10_000);
        bytes memory stranger = sign(relayer, escrow.attestationDigest(a));
        vm.expectRevert(
            abi.encodeWithSelector(IVerifierCommittee.WrongDuty.selector, relayer, IVerifierCommittee.Duty.None)
        );
        this.slashNow(t, a, stranger);
        vm.expectRevert(abi.encodeWithSelector(IVerifierCommittee.TooFewSignatures.selector, 0, 1));
        this.slashNow(t, a, "");
        vm.expectRevert(abi.encodeWithSelector(IVerifierCommittee.TooFewSignatures.selector, 1, 1));
        this.slashNow(t, a, new bytes(66));
    }

    /// @dev What one who serves no longer says of a job that came later decides nothing, and costs nothing.
    function test_Slash_RevertWhen_TheSignerHadLeftBeforeTheOpening() external {
        replaceTheFirst();
        Terms memory t = contestable();
        open(t);
        Attestation memory a = statement(t, Verdict.Pass, 900, true);
        bytes32 digest = escrow.attestationDigest(a);
        escrow.attest(t, a, bytes.concat(abi.encode(a), votesOf(relayer, members[1], digest)));
        disputeAs(buyer, t);
        rule(t, ruling(t, 0, 10_000, 0));
        bytes memory signature = sign(members[0], digest);
        vm.expectRevert(
            abi.encodeWithSelector(IVerifierCommittee.WrongDuty.selector, members[0], IVerifierCommittee.Duty.Left)
        );
        this.slashNow(t, a, signature);
    }

    function test_Slash_RevertWhen_SlashedBefore() external {
        Terms memory t = contestable();
        Attestation memory a = ruledOn(t, Verdict.Pass, 900, 0, 10_000);
        slashAs(relayer, t, a, 0, 1);
        bytes memory again = sign(members[0], escrow.attestationDigest(a));
        vm.expectRevert(
            abi.encodeWithSelector(IVerifierCommittee.WrongDuty.selector, members[0], IVerifierCommittee.Duty.Left)
        );
        this.slashNow(t, a, again);
    }

    function testFuzz_Slash_TakesStakesOnlyWhereTheRulingSaysSo(uint64 said, uint64 ruled, uint16 slashBps) external {
        Terms memory t = contestable();
        said = uint64(bound(said, t.minUnits, t.maxUnits));
        ruled = uint64(bound(ruled, 0, t.maxUnits));
        slashBps = uint16(bound(slashBps, 0, 10_000));
        Attestation memory a = ruledOn(t, Verdict.Pass, said, ruled, slashBps);
        bytes memory signatures = votes(members, 0, 2, escrow.attestationDigest(a));
        (bool slashed,) = address(committee).call(abi.encodeCall(IVerifierCommittee.slash, (t, a, signatures)));
        vm.assertEq(slashed, slashBps > 0 && ruled < said);
        vm.assertEq(credit.balanceOf(address(committee)), (slashed ? 1 : 3) * uint256(MEMBER_STAKE));
    }
}
