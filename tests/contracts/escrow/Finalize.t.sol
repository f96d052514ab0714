// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {ClosedBy, JobState, Outcome} from "../../../contracts/types/Job.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Books} from "../fixture/Books.sol";
import {Closed} from "../fixture/EscrowEvents.sol";

/// @notice `propose_finalize_reclaim.tree`, finalize: what stood undisputed takes effect, and anybody may say so.
contract FinalizeTest is Books {
    function expectTooEarly(Terms memory t) private {
        uint256 deadline = escrow.jobOf(escrow.jobIdOf(t)).deadline;
        vm.warp(deadline);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.TooEarly.selector, deadline, deadline));
        escrow.finalize(t);
    }

    // ---------------------------------------------------------------- refused

    function test_RevertWhen_TheJobIsOpen_EvenAfterItsEnd() external {
        Terms memory t = usualTerms();
        open(t);
        passDeadline(t);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.WrongState.selector, JobState.Open, Outcome.NoFault));
        escrow.finalize(t);
    }

    function test_RevertWhen_TheWindowStillRuns() external {
        Terms memory t = slowTerms();
        openPending(t);
        expectTooEarly(t);
    }

    function test_RevertWhen_TheRulingWindowStillRuns() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        expectTooEarly(t);
    }

    // ---------------------------------------------------------------- pass and claim

    function test_Finalize_PaysAPass() external {
        Terms memory t = slowTerms();
        openPending(t);
        passDeadline(t);
        watch();

        finalize(t);

        assertClosed(t, relayer, paying(t, ClosedBy.Finalized, Outcome.Pass, 600, true));
    }

    function test_Finalize_PaysAClaim_WithoutTheVerifiersFee() external {
        Terms memory t = usualTerms();
        open(t);
        propose(t, 600);
        passDeadline(t);
        watch();

        finalize(t);

        assertClosed(t, relayer, paying(t, ClosedBy.Finalized, Outcome.Claim, 600, false));
    }

    function test_Finalize_PaysWhatWasAcceptedMeanwhile_WhenItIsMoreThanTheClaim() external {
        Terms memory t = usualTerms();
        open(t);
        propose(t, 600);
        reading(t, 800);
        passDeadline(t);
        watch();

        finalize(t);

        assertClosed(t, relayer, paying(t, ClosedBy.Finalized, Outcome.Claim, 800, true));
    }

    function test_Finalize_PaysAnExcuseNothing_NotEvenTheLeastUnits() external {
        Terms memory t = usualTerms();
        open(t);
        propose(t, 0);
        passDeadline(t);
        watch();

        finalize(t);

        assertClosed(t, relayer, paying(t, ClosedBy.Finalized, Outcome.Claim, 0, false));
    }

    /// @dev The excuse was for five units; a reading that comes afterwards cannot turn it into a claim of minUnits.
    function test_Finalize_PaysAnExcuse_AsManyUnitsAsWereAccepted() external {
        Terms memory t = usualTerms();
        open(t);
        reading(t, 5);
        propose(t, 5);
        reading(t, 7);
        passDeadline(t);
        watch();

        finalize(t);

        assertClosed(t, relayer, paying(t, ClosedBy.Finalized, Outcome.Claim, 7, true));
    }

    // ---------------------------------------------------------------- no fault and fail

    function test_Finalize_RefundsAndFreesTheBond_WhenNobodyWasAtFault() external {
        Terms memory t = usualTerms();
        open(t);
        noFault(t);
        passDeadline(t);
        watch();

        finalize(t);

        assertClosed(t, relayer, paying(t, ClosedBy.Finalized, Outcome.NoFault, 0, false));
    }

    function test_Finalize_PaysWhatWasAccepted_WhenNobodyWasAtFault() external {
        Terms memory t = usualTerms();
        open(t);
        reading(t, 100);
        noFault(t);
        passDeadline(t);
        watch();

        finalize(t);

        assertClosed(t, relayer, paying(t, ClosedBy.Finalized, Outcome.NoFault, 100, true));
    }

    function test_Finalize_SlashesTheBondToTheBuyer_WhenAFailStood() external {
        Terms memory t = usualTerms();
        open(t);
        fail(t);
        passDeadline(t);
        watch();

        finalize(t);

        Closed memory c = paying(t, ClosedBy.Finalized, Outcome.Fail, 0, true);
        c.bondReturned = 0;
        c.bondToBuyer = t.bond;
        assertClosed(t, relayer, c);
    }

    function test_Finalize_SlashesOnlyTheUndeliveredShare_RoundedDown() external {
        Terms memory t = usualTerms();
        open(t);
        reading(t, 333);
        fail(t);
        passDeadline(t);
        watch();

        finalize(t);

        // (10^18 + 3) · 667 / 1000 = 667,000,000,000,000,002.001
        Closed memory c = paying(t, ClosedBy.Finalized, Outcome.Fail, 333, true);
        c.bondToBuyer = 667_000_000_000_000_002;
        c.bondReturned = t.bond - c.bondToBuyer;
        assertClosed(t, relayer, c);
    }

    function test_Finalize_SlashesTheRestToTheTreasury_AboveWhatWasNotDelivered() external {
        Terms memory t = usualTerms();
        t.bond = 10e18;
        open(t);
        fail(t);
        passDeadline(t);
        watch();

        finalize(t);

        Closed memory c = paying(t, ClosedBy.Finalized, Outcome.Fail, 0, true);
        c.bondReturned = 0;
        c.bondToBuyer = 3e18 + 1_000;
        c.bondToTreasury = 7e18 - 1_000;
        assertClosed(t, relayer, c);
    }

    function test_Finalize_CompensatesTheBuyer_AndRefundsThePayer() external {
        Terms memory t = sponsoredTerms();
        open(t);
        fail(t);
        passDeadline(t);
        watch();

        finalize(t);

        Closed memory c = paying(t, ClosedBy.Finalized, Outcome.Fail, 0, true);
        c.bondReturned = 0;
        c.bondToBuyer = t.bond;
        assertClosed(t, relayer, c);
        vm.assertEq(uint256(escrow.accountOf(buyer).free), uint256(ENDOWMENT) + t.bond);
    }

    // ---------------------------------------------------------------- the arbiter is silent

    function test_Finalize_PaysADisputedClaimWhatWasAccepted_WhenTheArbiterIsSilent() external {
        Terms memory t = usualTerms();
        open(t);
        reading(t, 100);
        propose(t, 600);
        disputeAs(buyer, t);
        passDeadline(t);
        watch();

        finalize(t);

        assertClosed(t, relayer, paying(t, ClosedBy.DisputedByDefault, Outcome.Claim, 100, true));
    }

    function test_Finalize_SlashesNothing_WhenTheArbiterIsSilentOnAFail() external {
        Terms memory t = usualTerms();
        open(t);
        fail(t);
        disputeAs(provider, t);
        passDeadline(t);
        watch();

        finalize(t);

        assertClosed(t, relayer, paying(t, ClosedBy.DisputedByDefault, Outcome.Fail, 0, true));
    }

    // ---------------------------------------------------------------- to the wallet

    function finalizeToWallet(Terms memory t, address sender) private {
        passDeadline(t);
        watch();
        vm.prank(sender);
        escrow.finalizeToWallet(t);
    }

    function test_FinalizeToWallet_PaysTheProvidersShare_AndLeavesTheBond() external {
        Terms memory t = slowTerms();
        openPending(t);
        finalizeToWallet(t, provider);
        Closed memory c = paying(t, ClosedBy.Finalized, Outcome.Pass, 600, true);
        c.toWallet = c.providerPaid;
        assertClosed(t, provider, c);
    }

    function test_FinalizeToWallet_PaysABuyerWhoPaid_RefundAndCompensation() external {
        Terms memory t = usualTerms();
        open(t);
        fail(t);
        finalizeToWallet(t, buyer);
        Closed memory c = paying(t, ClosedBy.Finalized, Outcome.Fail, 0, true);
        c.bondReturned = 0;
        c.bondToBuyer = t.bond;
        c.toWallet = c.refund + t.bond;
        assertClosed(t, buyer, c);
    }

    function test_FinalizeToWallet_PaysABuyerWhoDidNotPay_OnlyTheCompensation() external {
        Terms memory t = sponsoredTerms();
        open(t);
        fail(t);
        finalizeToWallet(t, buyer);
        Closed memory c = paying(t, ClosedBy.Finalized, Outcome.Fail, 0, true);
        c.bondReturned = 0;
        c.bondToBuyer = t.bond;
        c.toWallet = t.bond;
        assertClosed(t, buyer, c);
    }
}
