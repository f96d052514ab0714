// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Attestation, Verdict} from "../../../contracts/types/Attestation.sol";
import {ClosedBy, JobState, Outcome} from "../../../contracts/types/Job.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Books} from "../fixture/Books.sol";
import {Closed} from "../fixture/EscrowEvents.sol";

/// @notice `leases.tree`. Buyer and provider exchange a reading each INTERVAL seconds; who gets none stops.
contract LeasesTest is Books {
    uint64 private constant INTERVAL = 60;
    uint64 private constant HOUR = 3_600;

    /// @dev Eight hours at most.
    function leaseTerms() private view returns (Terms memory t) {
        t = ownTerms();
        t.unitPrice = 1e14 + 1;
        t.minUnits = 0;
        t.maxUnits = 8 * HOUR;
        t.end = uint40(START + 9 hours);
    }

    function reservedTerms() private view returns (Terms memory t) {
        t = leaseTerms();
        t.minUnits = 4 * HOUR;
    }

    function last(Terms memory t, uint64 units) private view returns (Attestation memory) {
        return statement(t, Verdict.Pass, units, true);
    }

    // ---------------------------------------------------------------- its usual life

    function test_TheProviderBringsTheLastReading_AndIsPaidForExactlyThat() external {
        Terms memory t = leaseTerms();
        open(t);
        vm.warp(START + 3 hours);
        watch();

        attestAs(provider, t, last(t, 3 * HOUR));

        assertClosed(t, provider, paying(t, ClosedBy.Attested, Outcome.Pass, 3 * HOUR, true));
    }

    // ---------------------------------------------------------------- early exit

    function test_Agree_EndsItAtOnce() external {
        Terms memory t = leaseTerms();
        open(t);
        reading(t, HOUR);
        vm.warp(START + 2 hours);
        watch();

        agree(t, 2 * HOUR);

        assertClosed(t, relayer, paying(t, ClosedBy.Agreed, Outcome.NoFault, 2 * HOUR, true));
    }

    function buyerLeaves(Terms memory t, uint64 units) private {
        attestAs(buyer, t, last(t, units));
        assertPending(t, Outcome.Pass, units > t.minUnits ? units : t.minUnits, t.disputeWindow);
    }

    function test_TheBuyerLeaves_AndPaysItsLastReadingAfterTheNotice() external {
        Terms memory t = leaseTerms();
        open(t);
        vm.warp(START + 2 hours);
        buyerLeaves(t, 2 * HOUR);
        passDeadline(t);
        watch();

        finalize(t);

        assertClosed(t, relayer, paying(t, ClosedBy.Finalized, Outcome.Pass, 2 * HOUR, true));
    }

    function test_TheBuyerLeavesWithAStaleReading_AndPaysTheOneThatTheProviderHolds() external {
        Terms memory t = leaseTerms();
        open(t);
        vm.warp(START + 2 hours);
        buyerLeaves(t, INTERVAL);
        attestAs(provider, t, statement(t, Verdict.Pass, 2 * HOUR, false));
        passDeadline(t);
        watch();

        finalize(t);

        assertClosed(t, relayer, paying(t, ClosedBy.Finalized, Outcome.Pass, 2 * HOUR, true));
    }

    function test_TheBuyerLeaves_AndTheProviderSendsAHigherFinalReading_AndIsPaidAtOnce() external {
        Terms memory t = leaseTerms();
        open(t);
        buyerLeaves(t, HOUR);
        watch();

        attestAs(provider, t, last(t, HOUR + INTERVAL));

        assertClosed(t, provider, paying(t, ClosedBy.Attested, Outcome.Pass, HOUR + INTERVAL, true));
    }

    /// @dev The last reading, and notice.
    function providerLeaves(Terms memory t, uint64 units) private {
        reading(t, units);
        propose(t, units);
    }

    function test_TheProviderLeaves_AndIsPaidWhatWasAcceptedAfterTheNotice() external {
        Terms memory t = leaseTerms();
        open(t);
        vm.warp(START + 2 hours);
        providerLeaves(t, 2 * HOUR);
        vm.assertEq(uint256(escrow.jobOf(escrow.jobIdOf(t)).deadline), START + 2 hours + t.disputeWindow);
        passDeadline(t);
        watch();

        finalize(t);

        assertClosed(t, relayer, paying(t, ClosedBy.Finalized, Outcome.Claim, 2 * HOUR, true));
    }

    function test_TheProviderLeaves_AndTheBuyerDisputesIt() external {
        Terms memory t = leaseTerms();
        open(t);
        providerLeaves(t, HOUR);
        disputeAs(buyer, t);
        assertJob(t, JobState.Disputed, Outcome.Claim, HOUR, HOUR, START + t.rulingWindow);
    }

    // ---------------------------------------------------------------- at risk

    function testFuzz_TheBuyerFallsSilent_AndTheProviderLosesOneInterval(uint64 intervals) external {
        Terms memory t = leaseTerms();
        open(t);
        intervals = uint64(bound(intervals, 1, 8 * HOUR / INTERVAL - 1));
        // The provider has run one interval more when no reading comes, and stops.
        vm.warp(START + uint256(intervals + 1) * INTERVAL);
        reading(t, intervals * INTERVAL);
        passDeadline(t);
        watch();

        reclaim(t);

        uint64 ran = (intervals + 1) * INTERVAL;
        Closed memory c = paying(t, ClosedBy.Reclaimed, Outcome.NoFault, ran - INTERVAL, true);
        assertClosed(t, relayer, c);
        vm.assertEq(uint256(c.bondReturned), t.bond);
    }

    function testFuzz_TheProviderFallsSilent_AndTheBuyerPaysNoMoreThanItSigned(uint64 intervals) external {
        Terms memory t = leaseTerms();
        open(t);
        intervals = uint64(bound(intervals, 1, 8 * HOUR / INTERVAL));
        reading(t, intervals * INTERVAL);
        passDeadline(t);
        watch();

        reclaim(t);

        Closed memory c = paying(t, ClosedBy.Reclaimed, Outcome.NoFault, intervals * INTERVAL, true);
        vm.assertEq(uint256(c.refund), escrowOf(t) - uint256(t.unitPrice) * intervals * INTERVAL);
        assertClosed(t, relayer, c);
    }

    // ---------------------------------------------------------------- reserved

    function test_Reserved_ALowerFinalReading_PaysMinUnits() external {
        Terms memory t = reservedTerms();
        open(t);
        watch();
        attestAs(provider, t, last(t, HOUR));
        assertClosed(t, provider, paying(t, ClosedBy.Attested, Outcome.Pass, 4 * HOUR, true));
    }

    function test_Reserved_TheBuyerLeavesEarly_AndPaysMinUnits() external {
        Terms memory t = reservedTerms();
        open(t);
        buyerLeaves(t, HOUR);
        passDeadline(t);
        watch();
        finalize(t);
        assertClosed(t, relayer, paying(t, ClosedBy.Finalized, Outcome.Pass, 4 * HOUR, true));
    }

    function test_Reserved_AnExcuse_PaysWhatWasAccepted() external {
        Terms memory t = reservedTerms();
        open(t);
        providerLeaves(t, HOUR);
        passDeadline(t);
        watch();
        finalize(t);
        assertClosed(t, relayer, paying(t, ClosedBy.Finalized, Outcome.Claim, HOUR, true));
    }

    function test_Reserved_AProviderThatNeverDelivered_GetsNothing_AndLosesItsBond() external {
        Terms memory t = reservedTerms();
        open(t);
        passDeadline(t);
        watch();
        reclaim(t);
        Closed memory c = paying(t, ClosedBy.Reclaimed, Outcome.NoFault, 0, false);
        c.bondReturned = 0;
        c.bondToBuyer = t.bond;
        assertClosed(t, relayer, c);
    }
}
