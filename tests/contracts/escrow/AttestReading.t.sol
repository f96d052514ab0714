// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {Attestation, Verdict} from "../../../contracts/types/Attestation.sol";
import {ClosedBy, JobState, Outcome} from "../../../contracts/types/Job.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Books} from "../fixture/Books.sol";
import {Attested} from "../fixture/EscrowEvents.sol";

/// @notice `attest.tree`, readings: accepted units rise, and nothing else changes.
contract AttestReadingTest is Books {
    function test_Reading_RaisesWhatIsAccepted() external {
        Terms memory t = usualTerms();
        open(t);
        watch();

        reading(t, 100);

        assertNoMoneyMoved();
        assertJob(t, JobState.Open, Outcome.NoFault, 100, 0, t.end);
        Attested memory event_ = attestedEvent();
        vm.assertFalse(event_.isFinal);
        vm.assertEq(uint256(event_.accepted), 100);
        vm.assertEq(uint256(event_.deadline), t.end);
    }

    function test_Reading_KeepsPendingAndDeadline_WhileAClaimIsPending() external {
        Terms memory t = usualTerms();
        open(t);
        propose(t, 500);
        vm.warp(START + 30 minutes);
        reading(t, 100);
        assertJob(t, JobState.Pending, Outcome.Claim, 100, 500, START + t.disputeWindow);
    }

    function test_Reading_KeepsPendingAndDeadline_WhileAFailIsPending() external {
        Terms memory t = usualTerms();
        open(t);
        fail(t);
        reading(t, 100);
        assertJob(t, JobState.Pending, Outcome.Fail, 100, 0, START + t.disputeWindow);
    }

    function test_Reading_KeepsPendingAndDeadline_WhileDisputed() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        reading(t, 100);
        assertJob(t, JobState.Disputed, Outcome.Claim, 100, 600, START + t.rulingWindow);
    }

    function test_Reading_DoesNotTouchTheQuality() external {
        Terms memory t = usualTerms();
        open(t);
        Attestation memory a = statement(t, Verdict.Pass, 100, false);
        a.qualityBps = 5;
        attestAs(relayer, t, a);
        vm.assertEq(uint256(escrow.jobOf(a.job).qualityBps), 10_000);
    }

    function test_RevertWhen_AReadingDoesNotRise() external {
        Terms memory t = usualTerms();
        open(t);
        reading(t, 100);
        uint64[3] memory stale = [uint64(100), 99, 0];
        for (uint256 i; i < stale.length; ++i) {
            Attestation memory a = statement(t, Verdict.Pass, stale[i], false);
            bytes memory signature = sign(verifier, escrow.attestationDigest(a));
            vm.expectRevert(abi.encodeWithSelector(IJobEscrow.UnitsNotRising.selector, stale[i], 100));
            escrow.attest(t, a, signature);
        }
    }

    function test_RevertWhen_AReadingWouldGetRoundAPassWindow() external {
        Terms memory t = slowTerms();
        open(t);
        Attestation memory a = statement(t, Verdict.Pass, 100, false);
        bytes memory signature = sign(verifier, escrow.attestationDigest(a));
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.ReadingNeedsNoPassWindow.selector, t.passWindow));
        escrow.attest(t, a, signature);
    }

    function test_RevertWhen_AReadingComesAfterTheWindow() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        uint256 deadline = START + t.rulingWindow;
        vm.warp(deadline + 1);
        Attestation memory a = statement(t, Verdict.Pass, 100, false);
        bytes memory signature = sign(verifier, escrow.attestationDigest(a));
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.TooLate.selector, deadline + 1, deadline));
        escrow.attest(t, a, signature);
    }

    /// @dev A lease: one unit a second, a reading now and then, and the last one alone would have been enough.
    function test_Lease_IsPaidByItsLastReading() external {
        Terms memory t = ownTerms();
        open(t);
        for (uint64 hour = 1; hour <= 5; ++hour) {
            vm.warp(START + hour * 1 hours);
            reading(t, hour * 100);
        }
        passDeadline(t);
        watch();

        reclaim(t);

        assertClosed(t, relayer, paying(t, ClosedBy.Reclaimed, Outcome.NoFault, 500, true));
    }
}
