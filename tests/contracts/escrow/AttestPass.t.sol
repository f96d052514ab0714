// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {Attestation, Verdict} from "../../../contracts/types/Attestation.sol";
import {ClosedBy, JobState, Outcome} from "../../../contracts/types/Job.sol";
import {JobId} from "../../../contracts/types/JobId.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Books} from "../fixture/Books.sol";
import {Closed, Paid} from "../fixture/EscrowEvents.sol";
import {SigningContract} from "../fixture/SigningContract.sol";

/// @notice `attest.tree`: what every attestation must fulfil, and an independent verifier's final pass.
contract AttestPassTest is Books {
    // ---------------------------------------------------------------- refused

    function expectRefused(Terms memory t, Attestation memory a, bytes memory reason) private {
        bytes memory signature = sign(t.verifier, escrow.attestationDigest(a));
        vm.expectRevert(reason);
        vm.prank(relayer);
        escrow.attest(t, a, signature);
    }

    function test_RevertWhen_TheAttestationIsForAnotherJob() external {
        Terms memory t = usualTerms();
        JobId id = open(t);
        Attestation memory a = statement(t, Verdict.Pass, 100, true);
        a.job = JobId.wrap(keccak256("another"));
        expectRefused(t, a, abi.encodeWithSelector(IJobEscrow.WrongJob.selector, a.job, id));
    }

    function test_RevertWhen_TheEndHasPassed() external {
        Terms memory t = usualTerms();
        open(t);
        vm.warp(uint256(t.end) + 1);
        expectRefused(
            t,
            statement(t, Verdict.Pass, 100, true),
            abi.encodeWithSelector(IJobEscrow.TooLate.selector, uint256(t.end) + 1, t.end)
        );
    }

    function test_RevertWhen_TheWindowOfAClaimHasPassed() external {
        Terms memory t = usualTerms();
        open(t);
        propose(t, 500);
        uint256 deadline = START + t.disputeWindow;
        vm.warp(deadline + 1);
        expectRefused(
            t,
            statement(t, Verdict.Pass, 100, true),
            abi.encodeWithSelector(IJobEscrow.TooLate.selector, deadline + 1, deadline)
        );
    }

    function test_RevertWhen_TheUnitsExceedTheMost() external {
        Terms memory t = usualTerms();
        open(t);
        expectRefused(
            t,
            statement(t, Verdict.Pass, t.maxUnits + 1, true),
            abi.encodeWithSelector(IJobEscrow.UnitsOutOfRange.selector, t.maxUnits + 1, 0, t.maxUnits)
        );
    }

    function test_RevertWhen_TheQualityExceedsTheWhole() external {
        Terms memory t = usualTerms();
        open(t);
        Attestation memory a = statement(t, Verdict.Pass, 100, true);
        a.qualityBps = 10_001;
        expectRefused(t, a, abi.encodeWithSelector(IJobEscrow.ShareTooLarge.selector, 10_001, 10_000));
    }

    function test_RevertWhen_AnybodyElseSignedOrCalled() external {
        Terms memory t = usualTerms();
        open(t);
        Attestation memory a = statement(t, Verdict.Pass, 100, true);
        address[5] memory others = [buyer, provider, arbiter, relayer, guardian];
        for (uint256 i; i < others.length; ++i) {
            bytes memory signature = sign(others[i], escrow.attestationDigest(a));
            vm.expectRevert(abi.encodeWithSelector(IJobEscrow.NotAuthorised.selector, verifier));
            vm.prank(others[i]);
            escrow.attest(t, a, signature);
        }
    }

    function test_RevertWhen_NobodyVerifies() external {
        Terms memory t = usualTerms();
        t.verifier = address(0);
        open(t);
        Attestation memory a = statement(t, Verdict.Pass, 100, true);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.NotAuthorised.selector, address(0)));
        escrow.attest(t, a, new bytes(65));
    }

    function test_RevertWhen_AContractVerifierDoesNotAnswerRight() external {
        SigningContract oracle = new SigningContract();
        Terms memory t = usualTerms();
        t.verifier = address(oracle);
        open(t);
        Attestation memory a = statement(t, Verdict.Pass, 100, true);
        for (uint256 mood = 1; mood <= uint256(SigningContract.Mood.BurnsItsGas); ++mood) {
            if (SigningContract.Mood(mood) == SigningContract.Mood.AnswersLong) continue; // its first word is right
            oracle.become(SigningContract.Mood(mood));
            vm.expectRevert(abi.encodeWithSelector(IJobEscrow.NotAuthorised.selector, address(oracle)));
            escrow.attest(t, a, "any");
        }
    }

    function test_Attest_WhenAContractVerifierApproves_WithoutItsConsent() external {
        SigningContract oracle = new SigningContract();
        Terms memory t = usualTerms();
        t.verifier = address(oracle);
        open(t);
        escrow.attest(t, statement(t, Verdict.Pass, 100, true), "any");
        assertJob(t, JobState.Closed, Outcome.Pass, 100, 0, 0);
        vm.assertEq(uint256(escrow.accountOf(address(oracle)).free), t.verifierFee);
    }

    function test_Attest_WhenTheVerifierCalls_OrSignsShort() external {
        Terms memory t = usualTerms();
        open(t);
        Attestation memory a = statement(t, Verdict.Pass, 5, false);
        vm.prank(verifier);
        escrow.attest(t, a, "");
        assertJob(t, JobState.Open, Outcome.NoFault, 5, 0, t.end);

        a = statement(t, Verdict.Pass, 6, false);
        escrow.attest(t, a, signShort(verifier, escrow.attestationDigest(a)));
        assertJob(t, JobState.Open, Outcome.NoFault, 6, 0, t.end);
    }

    // ---------------------------------------------------------------- pays at once

    function test_Pass_PaysAtOnce() external {
        Terms memory t = usualTerms();
        open(t);
        watch();

        pass(t, 600);

        assertClosed(t, relayer, paying(t, ClosedBy.Attested, Outcome.Pass, 600, true));
    }

    /// @dev The same in figures, worked out by hand.
    function test_Pass_PaysAtOnce_InFigures() external {
        Terms memory t = usualTerms();
        open(t);
        pass(t, 600);

        // 600 units at 3,000,000,000,000,001 atoms are 1.8 credits and 600 atoms; 1 % of it, rounded down, are 0.018 credits and 6 atoms.
        vm.assertEq(uint256(escrow.fees()), 18_000_000_000_000_006);
        vm.assertEq(uint256(escrow.accountOf(provider).free), 100e18 + 1_782_000_000_000_000_594);
        vm.assertEq(uint256(escrow.accountOf(verifier).free), 5e16);
        // 400 units come back, and the arbiter's fee.
        vm.assertEq(uint256(escrow.accountOf(buyer).free), 100e18 - 1_800_000_000_000_000_600 - 5e16);
        vm.assertEq(uint256(escrow.accountOf(buyer).locked), 0);
        vm.assertEq(uint256(escrow.accountOf(provider).locked), 0);
    }

    function test_Pass_AtTheLastSecond() external {
        Terms memory t = usualTerms();
        open(t);
        vm.warp(t.end);
        watch();

        pass(t, t.maxUnits);

        assertClosed(t, relayer, paying(t, ClosedBy.Attested, Outcome.Pass, t.maxUnits, true));
    }

    function test_Pass_PaysTheLeastUnits() external {
        Terms memory t = usualTerms();
        open(t);
        watch();

        pass(t, 0);

        assertClosed(t, relayer, paying(t, ClosedBy.Attested, Outcome.Pass, t.minUnits, true));
    }

    function test_Pass_NeverPaysLessThanWasAccepted() external {
        Terms memory t = usualTerms();
        open(t);
        reading(t, 700);
        watch();

        pass(t, 600);

        assertClosed(t, relayer, paying(t, ClosedBy.Attested, Outcome.Pass, 700, true));
    }

    function test_Pass_RefundsThePayer_WhenSomebodyElsePays() external {
        Terms memory t = sponsoredTerms();
        open(t);
        watch();

        pass(t, 600);

        assertClosed(t, relayer, paying(t, ClosedBy.Attested, Outcome.Pass, 600, true));
        vm.assertEq(uint256(escrow.accountOf(buyer).free), ENDOWMENT);
    }

    function test_Pass_DisplacesNoFault() external {
        Terms memory t = usualTerms();
        open(t);
        noFault(t);
        watch();

        pass(t, 600);

        assertClosed(t, relayer, paying(t, ClosedBy.Attested, Outcome.Pass, 600, true));
    }

    function test_Pass_DisplacesAClaim_AlsoWhenItIsLower() external {
        Terms memory t = usualTerms();
        open(t);
        propose(t, 900);
        watch();

        pass(t, 600);

        assertClosed(t, relayer, paying(t, ClosedBy.Attested, Outcome.Pass, 600, true));
    }

    function test_Pass_SaysWhatWasAttested() external {
        Terms memory t = usualTerms();
        open(t);
        Attestation memory a = statement(t, Verdict.Pass, 600, true);
        a.qualityBps = 9_000;
        watch();

        attestAs(relayer, t, a);

        Paid memory event_ = paidEvent();
        vm.assertEq(event_.result, a.result);
        vm.assertEq(uint256(event_.attested), 600);
        vm.assertEq(uint256(event_.qualityBps), 9_000);
        vm.assertEq(event_.meterRoot, a.meterRoot);
        vm.assertEq(event_.evidence, a.evidence);
        vm.assertEq(uint256(event_.units), 600);
        vm.assertEq(uint256(escrow.jobOf(a.job).qualityBps), 9_000);
    }

    // ---------------------------------------------------------------- to the wallet

    function passToWallet(Terms memory t, address sender) private {
        Attestation memory a = statement(t, Verdict.Pass, 600, true);
        bytes memory signature = sign(t.verifier, escrow.attestationDigest(a));
        watch();
        vm.prank(sender);
        escrow.attestToWallet(t, a, signature);
    }

    function test_PassToWallet_PaysTheProvidersShare_AndLeavesTheBond() external {
        Terms memory t = usualTerms();
        open(t);
        passToWallet(t, provider);
        Closed memory c = paying(t, ClosedBy.Attested, Outcome.Pass, 600, true);
        c.toWallet = c.providerPaid;
        assertClosed(t, provider, c);
    }

    function test_PassToWallet_PaysThePayersRefund() external {
        Terms memory t = sponsoredTerms();
        open(t);
        passToWallet(t, sponsor);
        Closed memory c = paying(t, ClosedBy.Attested, Outcome.Pass, 600, true);
        c.toWallet = c.refund;
        assertClosed(t, sponsor, c);
    }

    function test_PassToWallet_PaysTheVerifiersFee() external {
        Terms memory t = usualTerms();
        open(t);
        passToWallet(t, verifier);
        Closed memory c = paying(t, ClosedBy.Attested, Outcome.Pass, 600, true);
        c.toWallet = c.verifierPaid;
        assertClosed(t, verifier, c);
    }

    function test_PassToWallet_PaysARelayerNothing() external {
        Terms memory t = usualTerms();
        open(t);
        passToWallet(t, relayer);
        assertClosed(t, relayer, paying(t, ClosedBy.Attested, Outcome.Pass, 600, true));
    }

    function test_PassToWallet_PaysNothing_WhenTheJobStaysOpen() external {
        Terms memory t = slowTerms();
        open(t);
        passToWallet(t, provider);
        assertNoMoneyMoved();
        assertPending(t, Outcome.Pass, 600, t.passWindow);
    }

    // ---------------------------------------------------------------- waits

    function test_Pass_WaitsForThePassWindow() external {
        Terms memory t = slowTerms();
        open(t);
        watch();

        pass(t, 600);

        assertNoMoneyMoved();
        assertPending(t, Outcome.Pass, 600, t.passWindow);
        vm.assertEq(uint256(attestedEvent().deadline), START + t.passWindow);
    }

    function test_Pass_WaitsAlsoForTheProvider_AndForTheLeastUnits() external {
        Terms memory t = slowTerms();
        open(t);
        attestAs(provider, t, statement(t, Verdict.Pass, 1, true));
        assertPending(t, Outcome.Pass, t.minUnits, t.passWindow);
    }

    function test_Pass_DisplacesAClaim_AndStartsItsOwnWindow() external {
        Terms memory t = slowTerms();
        open(t);
        propose(t, 900);
        vm.warp(START + 1 hours);
        pass(t, 600);
        assertPending(t, Outcome.Pass, 600, t.passWindow);
    }

    // ---------------------------------------------------------------- the first final word stands

    function expectFinal(Terms memory t, JobState state, Outcome outcome) private {
        expectRefused(
            t,
            statement(t, Verdict.Pass, 1_000, true),
            abi.encodeWithSelector(IJobEscrow.WrongState.selector, state, outcome)
        );
    }

    function test_RevertWhen_APassIsPending() external {
        Terms memory t = slowTerms();
        openPending(t);
        expectFinal(t, JobState.Pending, Outcome.Pass);
    }

    function test_RevertWhen_AFailIsPending() external {
        Terms memory t = usualTerms();
        open(t);
        fail(t);
        expectFinal(t, JobState.Pending, Outcome.Fail);
    }

    function test_RevertWhen_TheJobIsDisputed() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        expectFinal(t, JobState.Disputed, Outcome.Claim);
    }
}
