// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {ClosedBy, JobState, Outcome} from "../../../contracts/types/Job.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Books} from "../fixture/Books.sol";
import {Closed} from "../fixture/EscrowEvents.sol";

/// @notice `propose_finalize_reclaim.tree`, reclaim: the buyer never depends on a provider.
contract ReclaimTest is Books {
    function silence(Terms memory t) private pure returns (Closed memory c) {
        c = paying(t, ClosedBy.Reclaimed, Outcome.NoFault, 0, false);
        c.bondReturned = 0;
        c.bondToBuyer = t.bond;
    }

    function test_Reclaim_RefundsAndSlashesTheWholeBond_WhenNothingWasAccepted() external {
        Terms memory t = usualTerms();
        open(t);
        passDeadline(t);
        watch();

        reclaim(t);

        assertClosed(t, relayer, silence(t));
    }

    function test_Reclaim_RefundsThePayer_AndCompensatesTheBuyer() external {
        Terms memory t = sponsoredTerms();
        open(t);
        passDeadline(t);
        watch();

        reclaim(t);

        assertClosed(t, relayer, silence(t));
    }

    function test_Reclaim_PaysWhatWasAccepted_AndFreesTheBond() external {
        Terms memory t = usualTerms();
        open(t);
        reading(t, 3);
        passDeadline(t);
        watch();

        reclaim(t);

        assertClosed(t, relayer, paying(t, ClosedBy.Reclaimed, Outcome.NoFault, 3, true));
    }

    function test_ReclaimToWallet_PaysRefundAndCompensation() external {
        Terms memory t = usualTerms();
        open(t);
        passDeadline(t);
        watch();

        vm.prank(buyer);
        escrow.reclaimToWallet(t);

        Closed memory c = silence(t);
        c.toWallet = c.refund + c.bondToBuyer;
        assertClosed(t, buyer, c);
    }

    function test_ReclaimToWallet_PaysTheSponsorItsRefundOnly() external {
        Terms memory t = sponsoredTerms();
        open(t);
        passDeadline(t);
        watch();

        vm.prank(sponsor);
        escrow.reclaimToWallet(t);

        Closed memory c = silence(t);
        c.toWallet = c.refund;
        assertClosed(t, sponsor, c);
    }

    function test_RevertWhen_TheEndHasNotPassed() external {
        Terms memory t = usualTerms();
        open(t);
        vm.warp(t.end);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.TooEarly.selector, t.end, t.end));
        escrow.reclaim(t);
    }

    function test_RevertWhen_AClaimIsPending_EvenAfterTheEnd() external {
        Terms memory t = usualTerms();
        open(t);
        propose(t, 600);
        vm.warp(uint256(t.end) + 1);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.WrongState.selector, JobState.Pending, Outcome.Claim));
        escrow.reclaim(t);
    }

    function test_RevertWhen_TheJobIsDisputed_EvenAfterTheEnd() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        vm.warp(uint256(t.end) + 1);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.WrongState.selector, JobState.Disputed, Outcome.Claim));
        escrow.reclaim(t);
    }

    /// @dev Nobody can open late to take a bond: what can be opened cannot yet be reclaimed.
    function test_AJobCannotBeOpenedAndReclaimedInOneSecond() external {
        Terms memory t = usualTerms();
        t.end = t.openBy + 1;
        vm.warp(t.openBy);
        open(t);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.TooEarly.selector, t.openBy, t.end));
        escrow.reclaim(t);
    }
}
