// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IVerifierCommittee} from "../../../contracts/interfaces/IVerifierCommittee.sol";
import {Attestation, Verdict} from "../../../contracts/types/Attestation.sol";
import {JobId} from "../../../contracts/types/JobId.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {CommitteeTest} from "./CommitteeTest.sol";

/// @notice `VerifierCommittee.tree`: claim, withdrawFees.
contract CommitteeFeesTest is CommitteeTest {
    function afterTheWindow() private {
        vm.warp(block.timestamp + CLAIM_WINDOW + 1);
    }

    function shareOf(address member, JobId job) private returns (uint256 paid) {
        uint256 before = credit.balanceOf(member);
        vm.prank(member);
        committee.withdrawFees(listOf(job), member);
        return credit.balanceOf(member) - before;
    }

    function test_Claim_SharesAmongExactlyThoseWhoSigned() external {
        Terms memory t = committeeTerms();
        Attestation memory a = attested(t, Verdict.Pass, 600, 0, 2);
        vm.expectEmit(address(committee));
        emit IVerifierCommittee.FeeClaimed(a.job, t.verifierFee, 2, uint40(block.timestamp + CLAIM_WINDOW));
        claimed(t, a, 0, 2);
        afterTheWindow();

        vm.assertEq(shareOf(members[0], a.job), t.verifierFee / 2);
        vm.assertEq(shareOf(members[1], a.job), t.verifierFee / 2);
        expectAs(members[2], abi.encodeWithSelector(IVerifierCommittee.NoShare.selector, a.job, members[2]));
        committee.withdrawFees(listOf(a.job), members[2]);
        vm.assertEq(uint256(escrow.accountOf(address(committee)).free), 0);
    }

    /// @dev A first claim that leaves a signer out cannot cheat it of its share.
    function test_Claim_AddsWhoElseSigned_WithinTheWindow() external {
        Terms memory t = committeeTerms();
        Attestation memory a = attested(t, Verdict.Pass, 600, 0, 2);
        claimed(t, a, 0, 2);
        vm.warp(block.timestamp + CLAIM_WINDOW);
        claimed(t, a, 1, 3);
        vm.warp(block.timestamp + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IVerifierCommittee.TooLate.selector, block.timestamp, block.timestamp - 1)
        );
        this.claimAgain(t, a);

        uint256 paid;
        for (uint256 i; i < 3; ++i) {
            vm.assertEq(uint256(committee.claimOf(a.job).sharers), 3);
            paid += shareOf(members[i], a.job);
        }
        vm.assertEq(paid, uint256(t.verifierFee) / 3 * 3);
        vm.assertEq(uint256(escrow.accountOf(address(committee)).free), t.verifierFee - paid);
    }

    function claimAgain(Terms memory t, Attestation memory a) external {
        claimed(t, a, 0, 3);
    }

    function test_Claim_PaysForAFailToo() external {
        Terms memory t = committeeTerms();
        Attestation memory a = attested(t, Verdict.Fail, 0, 1, 3);
        passDeadline(t);
        finalize(t);
        claimed(t, a, 1, 3);
        afterTheWindow();
        vm.assertEq(shareOf(members[2], a.job), t.verifierFee / 2);
    }

    function test_Claim_PaysForReadings() external {
        Terms memory t = committeeTerms();
        open(t);
        Attestation memory a = statement(t, Verdict.Pass, 300, false);
        escrow.attest(t, a, committeeSignature(a, members, 0, 2));
        passDeadline(t);
        reclaim(t);
        claimed(t, a, 0, 2);
        afterTheWindow();
        vm.assertEq(shareOf(members[0], a.job), t.verifierFee / 2);
    }

    function test_Claim_OfOneWhoHasRetiredSince_IsPaid() external {
        Terms memory t = committeeTerms();
        Attestation memory a = attested(t, Verdict.Pass, 600, 0, 2);
        vm.prank(members[0]);
        committee.leave();
        vm.roll(block.number + 1);
        rotateInTime(committee, members[0]);
        claimed(t, a, 0, 2);
        afterTheWindow();
        vm.assertEq(shareOf(members[0], a.job), t.verifierFee / 2);
    }

    function test_Claim_RevertWhen_TheVerifierIsAnother() external {
        Terms memory t = usualTerms();
        open(t);
        pass(t, 600);
        Attestation memory a = statement(t, Verdict.Pass, 600, true);
        vm.expectRevert(about(IVerifierCommittee.NotOurJob.selector, a.job));
        this.claimAgain(t, a);
    }

    function test_Claim_RevertWhen_TheAttestationIsOfAnotherJob() external {
        Terms memory t = committeeTerms();
        attested(t, Verdict.Pass, 600, 0, 2);
        Attestation memory a = statement(usualTerms(), Verdict.Pass, 600, true);
        vm.expectRevert(about(IVerifierCommittee.NotOurJob.selector, a.job));
        this.claimAgain(t, a);
    }

    function test_Claim_RevertWhen_TheJobIsOpen() external {
        Terms memory t = committeeTerms();
        Attestation memory a = attested(t, Verdict.Fail, 0, 0, 2);
        vm.expectRevert(about(IVerifierCommittee.NothingEarned.selector, a.job));
        this.claimAgain(t, a);
    }

    function test_Claim_RevertWhen_NoVerifierWasPaid() external {
        Terms memory t = committeeTerms();
        open(t);
        propose(t, 600);
        passDeadline(t);
        finalize(t);
        Attestation memory a = statement(t, Verdict.Pass, 600, true);
        vm.expectRevert(about(IVerifierCommittee.NothingEarned.selector, a.job));
        this.claimAgain(t, a);
    }

    function test_Claim_RevertWhen_TheAttestationDoesNotFitTheEnd() external {
        Terms memory t = committeeTerms();
        Attestation memory a = attested(t, Verdict.Pass, 600, 0, 2);
        bytes memory reason = about(IVerifierCommittee.NotTheAttestation.selector, a.job);
        a.verdict = Verdict.Fail;
        vm.expectRevert(reason);
        this.claimAgain(t, a);
        a.verdict = Verdict.Pass;
        a.isFinal = false;
        vm.expectRevert(reason);
        this.claimAgain(t, a);
        a.isFinal = true;
        a.qualityBps = 9_999;
        vm.expectRevert(reason);
        this.claimAgain(t, a);
    }

    function test_Claim_OfAFail_RevertWhen_TheAttestationIsAPass_OrOfAnotherQuality() external {
        Terms memory t = committeeTerms();
        Attestation memory a = attested(t, Verdict.Fail, 0, 0, 2);
        passDeadline(t);
        finalize(t);
        bytes memory reason = about(IVerifierCommittee.NotTheAttestation.selector, a.job);
        a.qualityBps -= 1;
        vm.expectRevert(reason);
        this.claimAgain(t, a);
        a.qualityBps += 1;
        a.verdict = Verdict.Pass;
        vm.expectRevert(reason);
        this.claimAgain(t, a);
    }

    function test_Claim_OfAReading_RevertWhen_TheAttestationIsFinal_OrNoPass() external {
        Terms memory t = committeeTerms();
        open(t);
        Attestation memory a = statement(t, Verdict.Pass, 300, false);
        escrow.attest(t, a, committeeSignature(a, members, 0, 2));
        passDeadline(t);
        reclaim(t);
        bytes memory reason = about(IVerifierCommittee.NotTheAttestation.selector, a.job);
        a.isFinal = true;
        vm.expectRevert(reason);
        this.claimAgain(t, a);
        a.isFinal = false;
        a.verdict = Verdict.Fail;
        vm.expectRevert(reason);
        this.claimAgain(t, a);
    }

    function test_Claim_RevertWhen_AnotherAttestationWasClaimed() external {
        Terms memory t = committeeTerms();
        Attestation memory a = attested(t, Verdict.Pass, 600, 0, 2);
        claimed(t, a, 0, 2);
        a.units = 601;
        vm.expectRevert(about(IVerifierCommittee.NotTheAttestation.selector, a.job));
        this.claimAgain(t, a);
    }

    function claimBare(Terms memory t, Attestation memory a, bytes memory signatures) external {
        committee.claim(t, a, signatures);
    }

    function test_Claim_RevertWhen_SignaturesAreTooFewOrAStrangers() external {
        Terms memory t = committeeTerms();
        Attestation memory a = attested(t, Verdict.Pass, 600, 0, 2);
        bytes32 digest = escrow.attestationDigest(a);
        vm.expectRevert(abi.encodeWithSelector(IVerifierCommittee.TooFewSignatures.selector, 1, 2));
        this.claimBare(t, a, sign(members[0], digest));
        bytes memory joined = bytes.concat(votes(members, 0, 2, digest), sign(relayer, digest));
        vm.expectRevert(abi.encodeWithSelector(IVerifierCommittee.TooFewSignatures.selector, 0, 2));
        this.claimBare(t, a, joined);
    }

    function test_WithdrawFees_RevertWhen_TheSharesAreNotFixed_OrTakenTwice() external {
        Terms memory t = committeeTerms();
        Attestation memory a = attested(t, Verdict.Pass, 600, 0, 2);
        claimed(t, a, 0, 2);
        uint256 closesAt = block.timestamp + CLAIM_WINDOW;
        vm.warp(closesAt);
        expectAs(members[0], abi.encodeWithSelector(IVerifierCommittee.TooEarly.selector, closesAt, closesAt));
        committee.withdrawFees(listOf(a.job), members[0]);
        vm.warp(closesAt + 1);
        JobId[] memory twice = new JobId[](2);
        (twice[0], twice[1]) = (a.job, a.job);
        expectAs(members[0], abi.encodeWithSelector(IVerifierCommittee.NoShare.selector, a.job, members[0]));
        committee.withdrawFees(twice, members[0]);
    }

    function test_WithdrawFees_RevertWhen_TheReceiverIsZero() external {
        expectAs(members[0], abi.encodeWithSelector(IVerifierCommittee.ZeroAddress.selector));
        committee.withdrawFees(new JobId[](0), address(0));
    }

    /// @dev The seat is the same, the member is not.
    function test_WithdrawFees_RevertWhen_TheSeatWasTakenLater() external {
        Terms memory t = committeeTerms();
        Attestation memory a = attested(t, Verdict.Pass, 600, 0, 2);
        claimed(t, a, 0, 2);
        replaceTheFirst();
        afterTheWindow();
        expectAs(relayer, abi.encodeWithSelector(IVerifierCommittee.NoShare.selector, a.job, relayer));
        committee.withdrawFees(listOf(a.job), relayer);
        vm.assertEq(shareOf(members[0], a.job), t.verifierFee / 2);
    }

    /// @dev Nor is it the member that had the seat before: neither its signature nor its word takes the share of who has it now.
    function test_WithdrawFees_RevertWhen_TheSeatWasLeftBefore() external {
        replaceTheFirst();
        Terms memory t = committeeTerms();
        open(t);
        Attestation memory a = statement(t, Verdict.Pass, 600, true);
        bytes32 digest = escrow.attestationDigest(a);
        bytes memory signatures = votesOf(relayer, members[1], digest);
        escrow.attest(t, a, bytes.concat(abi.encode(a), signatures));

        bytes memory leftBefore = votesOf(members[0], members[1], digest);
        vm.expectRevert(abi.encodeWithSelector(IVerifierCommittee.TooFewSignatures.selector, 0, 2));
        this.claimBare(t, a, leftBefore);
        committee.claim(t, a, signatures);
        afterTheWindow();
        expectAs(members[0], abi.encodeWithSelector(IVerifierCommittee.NoShare.selector, a.job, members[0]));
        committee.withdrawFees(listOf(a.job), members[0]);
        vm.assertEq(shareOf(relayer, a.job), t.verifierFee / 2);
    }

    function testFuzz_Shares_NeverExceedTheFee(uint104 fee, uint8 signers) external {
        Terms memory t = committeeTerms();
        t.verifierFee = uint104(bound(fee, 0, 50e18));
        uint256 last = bound(signers, 2, 3);
        Attestation memory a = attested(t, Verdict.Pass, 600, 0, last);
        claimed(t, a, 0, last);
        afterTheWindow();
        uint256 paid;
        for (uint256 i; i < last; ++i) {
            paid += shareOf(members[i], a.job);
        }
        vm.assertEq(paid, t.verifierFee / last * last);
        vm.assertEq(uint256(escrow.accountOf(address(committee)).free), t.verifierFee - paid);
    }
}
