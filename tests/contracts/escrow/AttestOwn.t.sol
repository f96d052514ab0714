// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {Attestation, Verdict} from "../../../contracts/types/Attestation.sol";
import {ClosedBy, JobState, Outcome} from "../../../contracts/types/Job.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Books} from "../fixture/Books.sol";
import {Closed} from "../fixture/EscrowEvents.sol";

/// @notice `attest.tree`, own: the buyer or the payer verifies. Its word pays at once only when the provider, whose money it is, sends it.
contract AttestOwnTest is Books {
    function finalPass(Terms memory t, uint64 units) private view returns (Attestation memory) {
        return statement(t, Verdict.Pass, units, true);
    }

    function test_FinalPass_PaysAtOnce_WhenTheProviderSends() external {
        Terms memory t = ownTerms();
        open(t);
        watch();

        attestAs(provider, t, finalPass(t, 600));

        assertClosed(t, provider, paying(t, ClosedBy.Attested, Outcome.Pass, 600, true));
    }

    function test_FinalPass_PaysAtOnce_WhenThePayerVerifies_AndTheProviderSends() external {
        Terms memory t = sponsoredTerms();
        t.verifier = sponsor;
        open(t);
        watch();

        attestAs(provider, t, finalPass(t, 600));

        assertClosed(t, provider, paying(t, ClosedBy.Attested, Outcome.Pass, 600, true));
    }

    function test_FinalPass_DisplacesAClaim_WhenTheProviderSends() external {
        Terms memory t = ownTerms();
        open(t);
        propose(t, 900);
        watch();

        attestAs(provider, t, finalPass(t, 600));

        assertClosed(t, provider, paying(t, ClosedBy.Attested, Outcome.Pass, 600, true));
    }

    function test_FinalPass_ToTheProvidersWallet() external {
        Terms memory t = ownTerms();
        open(t);
        Attestation memory a = finalPass(t, 600);
        bytes memory signature = sign(buyer, escrow.attestationDigest(a));
        watch();

        vm.prank(provider);
        escrow.attestToWallet(t, a, signature);

        Closed memory c = paying(t, ClosedBy.Attested, Outcome.Pass, 600, true);
        c.toWallet = c.providerPaid;
        assertClosed(t, provider, c);
    }

    function test_FinalPass_WaitsTheDisputeWindow_WhenAnybodyElseSends() external {
        address[3] memory senders = [buyer, verifier, relayer];
        for (uint256 i; i < senders.length; ++i) {
            Terms memory t = ownTerms();
            t.nonce = uint48(i + 1);
            open(t);
            watch();

            attestAs(senders[i], t, finalPass(t, 600));

            assertNoMoneyMoved();
            assertPending(t, Outcome.Pass, 600, t.disputeWindow);
        }
    }

    function test_FinalPass_WaitsTheDisputeWindow_WhateverThePassWindow() external {
        Terms memory t = ownTerms();
        t.passWindow = 5 minutes;
        open(t);
        attestAs(buyer, t, finalPass(t, 600));
        assertPending(t, Outcome.Pass, 600, t.disputeWindow);
    }

    /// @dev The buyer sends an old, low reading as its last word; the provider answers with the higher one that it holds.
    function test_AStaleFinalPass_CannotUndercut() external {
        Terms memory t = ownTerms();
        open(t);
        attestAs(buyer, t, finalPass(t, 50));
        vm.warp(block.timestamp + t.disputeWindow);
        watch();

        attestAs(provider, t, finalPass(t, 900));

        assertClosed(t, provider, paying(t, ClosedBy.Attested, Outcome.Pass, 900, true));
    }

    function test_AHigherFinalPass_CountsOnlyAsAReading_WhenAnybodyElseSends() external {
        Terms memory t = ownTerms();
        open(t);
        attestAs(buyer, t, finalPass(t, 50));
        watch();

        attestAs(relayer, t, finalPass(t, 900));

        assertNoMoneyMoved();
        assertJob(t, JobState.Pending, Outcome.Pass, 900, 50, START + t.disputeWindow);
    }

    function test_RevertWhen_AFurtherFinalPassIsNotHigher() external {
        Terms memory t = ownTerms();
        open(t);
        reading(t, 40);
        attestAs(buyer, t, finalPass(t, 50));
        Attestation memory a = finalPass(t, 40);
        bytes memory signature = sign(buyer, escrow.attestationDigest(a));

        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.UnitsNotRising.selector, 40, 40));
        vm.prank(provider);
        escrow.attest(t, a, signature);
    }

    function test_AFinalPass_IsAReading_WhileAFailIsPending() external {
        Terms memory t = ownTerms();
        open(t);
        fail(t);
        watch();

        attestAs(provider, t, finalPass(t, 700));

        assertNoMoneyMoved();
        assertJob(t, JobState.Pending, Outcome.Fail, 700, 0, START + t.disputeWindow);
    }

    function test_AFinalPass_IsAReading_WhileDisputed() external {
        Terms memory t = ownTerms();
        openDisputed(t);
        watch();

        attestAs(provider, t, finalPass(t, 700));

        assertNoMoneyMoved();
        assertJob(t, JobState.Disputed, Outcome.Claim, 700, 600, START + t.rulingWindow);
    }

    /// @dev A job with a pass window but an own verifier takes readings: what the buyer signed away, it signed away.
    function test_Readings_NeedNoWindow() external {
        Terms memory t = ownTerms();
        t.passWindow = 1 hours;
        open(t);
        reading(t, 100);
        assertJob(t, JobState.Open, Outcome.NoFault, 100, 0, t.end);
    }

    function test_AFail_SlashesNothing_WhenItIsTheBuyersOwnWord() external {
        Terms memory t = ownTerms();
        open(t);
        reading(t, 100);
        fail(t);
        passDeadline(t);
        watch();

        finalize(t);

        assertClosed(t, relayer, paying(t, ClosedBy.Finalized, Outcome.Fail, 100, true));
    }

    function test_AFail_SlashesNothing_WhenItIsThePayersOwnWord() external {
        Terms memory t = sponsoredTerms();
        t.verifier = sponsor;
        open(t);
        fail(t);
        passDeadline(t);
        watch();

        finalize(t);

        assertClosed(t, relayer, paying(t, ClosedBy.Finalized, Outcome.Fail, 0, true));
    }
}
