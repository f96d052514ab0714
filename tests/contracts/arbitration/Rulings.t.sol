// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IArbitration} from "../../../contracts/interfaces/IArbitration.sol";
import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {JobState} from "../../../contracts/types/Job.sol";
import {JobId} from "../../../contracts/types/JobId.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Panel} from "../fixture/Panel.sol";

/// @notice `Arbitration.tree`: appeal, executeRuling, close.
contract ArbitrationRulingsTest is Panel {
    Terms private t;
    uint256 private id;

    function setUp() public override {
        super.setUp();
        setUpPanel(12);
        t = courtTerms();
        id = bring(t);
    }

    function feesOf(address judge) private view returns (uint256) {
        return court.arbiterOf(judge).fees;
    }

    function appealAs(address party) private {
        uint104 cost = court.appealCost(id);
        fund(party, cost);
        vm.startPrank(party);
        credit.approve(address(court), cost);
        court.appeal(id);
        vm.stopPrank();
    }

    function assertSolvent() private view {
        uint256 owed;
        for (uint256 i; i < judges.length; ++i) {
            owed += uint256(court.arbiterOf(judges[i]).stake) + court.arbiterOf(judges[i]).fees;
        }
        vm.assertEq(credit.balanceOf(address(court)), owed);
    }

    // ---------------------------------------------------------------- executeRuling

    function test_ExecuteRuling_SlashesTheProvider_WhichPaysThePanel() external {
        address[] memory seated = voteAll(id, 0, 100, 10_000);
        afterAppeals(id, 0);
        uint256 before = escrow.accountOf(buyer).free;

        court.executeRuling(id, t);

        vm.assertEq(uint256(escrow.jobOf(escrow.jobIdOf(t)).accepted), 100);
        uint256 fromBond = t.bond - t.arbiterFee;
        uint256 refund = uint256(t.unitPrice) * 900 + t.verifierFee + t.arbiterFee;
        vm.assertEq(uint256(escrow.accountOf(buyer).free) - before, refund + fromBond);
        for (uint256 i; i < 3; ++i) {
            vm.assertEq(feesOf(seated[i]), SEAT_FEE);
            vm.assertEq(uint256(court.arbiterOf(seated[i]).sitting), 0);
        }
        assertSolvent();
        uint256 wallet = credit.balanceOf(seated[0]);
        vm.startPrank(seated[0]);
        court.withdrawFees(seated[0]);
        court.withdrawFees(seated[0]);
        vm.assertEq(credit.balanceOf(seated[0]) - wallet, SEAT_FEE);
    }

    function test_ExecuteRuling_ForTheProvider_LetsThePayerPayThePanel() external {
        voteAll(id, 0, 600, 0);
        afterAppeals(id, 0);
        court.executeRuling(id, t);
        vm.assertEq(uint256(escrow.accountOf(provider).locked), 0);
        uint256 gross = uint256(t.unitPrice) * 600;
        vm.assertEq(uint256(escrow.accountOf(provider).free), ENDOWMENT + gross - gross / 100);
    }

    function test_WhoRevealed_Shares_WhoDidNot_PaysThePenalty() external {
        address[] memory seated = seat(id, 0);
        commitAs(seated[0], id, 0, 0, 10_000);
        commitAs(seated[1], id, 0, 600, 0);
        toReveal(id, 0);
        revealAs(seated[0], id, 0, 10_000);
        afterAppeals(id, 0);
        court.executeRuling(id, t);

        vm.assertEq(feesOf(seated[0]), 3 * uint256(SEAT_FEE) + 2 * uint256(PENALTY));
        for (uint256 i = 1; i < 3; ++i) {
            vm.assertEq(uint256(court.arbiterOf(seated[i]).stake), ARBITER_STAKE - PENALTY);
            vm.assertFalse(court.arbiterOf(seated[i]).active);
        }
        vm.assertEq(court.arbiters().length, 10);
        assertSolvent();
        enter(seated[1], PENALTY);
        vm.assertTrue(court.arbiterOf(seated[1]).active);
        vm.assertEq(uint256(court.arbiterOf(seated[1]).stake), ARBITER_STAKE);
    }

    function test_ExecuteRuling_RevertWhen_AnAppealIsPossible_OrNothingWasVoted() external {
        voteAll(id, 0, 600, 0);
        uint256 until = court.roundOf(id, 0).appealBy;
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(IArbitration.TooEarly.selector, until, until));
        court.executeRuling(id, t);
        Terms memory other = courtTerms();
        other.nonce = 2;
        other.openBy += 1 days;
        other.end += 1 days;
        uint256 second = bring(other);
        vm.warp(uint256(court.roundOf(second, 0).revealBy) + 1);
        vm.expectRevert(abi.encodeWithSelector(IArbitration.NoVotes.selector, second));
        court.executeRuling(second, other);
    }

    function test_ExecuteRuling_RevertWhen_Twice_OrWithOtherTerms_OrTooLate() external {
        voteAll(id, 0, 600, 0);
        afterAppeals(id, 0);
        Terms memory other = courtTerms();
        other.nonce = 7;
        vm.expectRevert();
        court.executeRuling(id, other);
        uint256 snapshot = vm.snapshotState();
        court.executeRuling(id, t);
        (uint256 start, uint256 end) = court.appealPeriod(id);
        vm.assertEq(start + end, 0, "no appeal against what was executed");
        vm.expectRevert(abi.encodeWithSelector(IArbitration.WrongStatus.selector, id, IArbitration.Status.Ruled));
        court.executeRuling(id, t);
        vm.revertToState(snapshot);
        uint256 deadline = court.caseOf(id).deadline;
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.TooLate.selector, deadline + 1, deadline));
        court.executeRuling(id, t);
        court.close(id);
        finalize(t);
    }

    // ---------------------------------------------------------------- appeal

    function test_Appeal_GoesToALargerPanelOfOthers_WhichRules() external {
        address[] memory first = voteAll(id, 0, 0, 10_000);
        vm.warp(uint256(court.roundOf(id, 0).revealBy) + 1);
        (uint256 start, uint256 end) = court.appealPeriod(id);
        vm.assertEq(start, block.timestamp);
        vm.assertEq(end, court.roundOf(id, 0).appealBy);
        appealAs(provider);
        address[] memory second = voteAll(id, 1, 600, 0);
        vm.assertEq(second.length, 7);
        for (uint256 i; i < 7; ++i) {
            for (uint256 j; j < 3; ++j) {
                vm.assertTrue(second[i] != first[j]);
            }
        }
        vm.warp(uint256(court.roundOf(id, 1).revealBy) + 1);
        court.executeRuling(id, t);
        vm.assertEq(uint256(escrow.jobOf(escrow.jobIdOf(t)).accepted), 600);
        vm.assertEq(feesOf(second[0]), SEAT_FEE);
        vm.assertEq(feesOf(first[0]), SEAT_FEE);
        assertSolvent();
    }

    function test_AnAppealThatNobodyHears_ChangesNothing_AndIsPaidBack() external {
        voteAll(id, 0, 600, 0);
        vm.warp(uint256(court.roundOf(id, 0).revealBy) + 1);
        appealAs(buyer);
        seat(id, 1);
        vm.warp(uint256(court.roundOf(id, 1).revealBy) + 1);
        court.executeRuling(id, t);
        vm.assertEq(uint256(escrow.jobOf(escrow.jobIdOf(t)).accepted), 600);
        vm.assertEq(credit.balanceOf(buyer), 7 * uint256(SEAT_FEE) + 7 * uint256(PENALTY));
        assertSolvent();
    }

    function test_Appeal_OfASmallPool_SeatsTheFirstAgain() external {
        setUpPanel(8);
        t = courtTerms();
        t.nonce = 2;
        id = bring(t);
        voteAll(id, 0, 600, 0);
        vm.warp(uint256(court.roundOf(id, 0).revealBy) + 1);
        appealAs(buyer);
        address[] memory seated = voteAll(id, 1, 500, 0);
        vm.assertEq(seated.length, 7);
        vm.warp(uint256(court.roundOf(id, 1).revealBy) + 1);
        court.executeRuling(id, t);
        assertSolvent();
    }

    function test_Appeal_RevertWhen_NotByAParty_OrEarly_OrLate_OrWithoutAVote_OrTooOften() external {
        vm.expectRevert(abi.encodeWithSelector(IArbitration.CallerNotParty.selector, relayer));
        vm.prank(relayer);
        court.appeal(id);
        seat(id, 0);
        IArbitration.Round memory r = court.roundOf(id, 0);
        vm.warp(r.revealBy);
        vm.expectRevert(abi.encodeWithSelector(IArbitration.TooEarly.selector, r.revealBy, r.revealBy));
        vm.prank(buyer);
        court.appeal(id);
        vm.warp(uint256(r.revealBy) + 1);
        vm.expectRevert(abi.encodeWithSelector(IArbitration.NoVotes.selector, id));
        vm.prank(buyer);
        court.appeal(id);
        vm.warp(uint256(r.appealBy) + 1);
        vm.expectRevert(abi.encodeWithSelector(IArbitration.TooLate.selector, uint256(r.appealBy) + 1, r.appealBy));
        vm.prank(buyer);
        court.appeal(id);
    }

    function test_Appeal_RevertWhen_ThereWereAsManyAsAllowed() external {
        voteAll(id, 0, 0, 10_000);
        vm.warp(uint256(court.roundOf(id, 0).revealBy) + 1);
        appealAs(provider);
        voteAll(id, 1, 600, 0);
        vm.warp(uint256(court.roundOf(id, 1).revealBy) + 1);
        vm.expectRevert(abi.encodeWithSelector(IArbitration.NoMoreAppeals.selector, 1));
        vm.prank(buyer);
        court.appeal(id);
        (uint256 start, uint256 end) = court.appealPeriod(id);
        vm.assertEq(start + end, 0);
    }

    // ---------------------------------------------------------------- close

    function test_ASilentPanel_LeavesTheWrittenDefault_AndPays() external {
        address[] memory seated = seat(id, 0);
        uint256 revealBy = court.roundOf(id, 0).revealBy;
        vm.warp(revealBy);
        vm.expectRevert(abi.encodeWithSelector(IArbitration.StillOpen.selector, id));
        court.close(id);
        vm.warp(revealBy + 1);
        court.close(id);
        vm.assertEq(credit.balanceOf(treasury), 3 * uint256(PENALTY));
        vm.assertEq(uint256(court.arbiterOf(seated[0]).stake), ARBITER_STAKE - PENALTY);
        assertSolvent();
        passDeadline(t);
        finalize(t);
        vm.assertEq(uint256(escrow.jobOf(escrow.jobIdOf(t)).accepted), 0);
        vm.assertEq(uint256(escrow.accountOf(buyer).free), ENDOWMENT);
        vm.assertEq(uint256(escrow.accountOf(provider).free), ENDOWMENT);
    }

    function test_ADisputeWithoutLots_EndsWithoutPenalties() external {
        vm.warp(uint256(court.roundOf(id, 0).revealBy) + 1);
        court.close(id);
        assertSolvent();
        vm.expectRevert(abi.encodeWithSelector(IArbitration.WrongStatus.selector, id, IArbitration.Status.Void));
        court.close(id);
    }

    /// @dev Parties that settle cost no arbiter its stake, however late somebody closes the dispute.
    function test_AnAgreement_EndsTheDispute_WithoutPenalties() external {
        address[] memory seated = seat(id, 0);
        agree(t, 300);
        vm.warp(uint256(court.roundOf(id, 0).revealBy) + 1);
        court.close(id);
        vm.assertEq(uint256(court.arbiterOf(seated[0]).stake), ARBITER_STAKE);
        vm.assertEq(uint256(court.arbiterOf(seated[0]).sitting), 0);
        assertSolvent();
    }

    function test_ARulingThatNobodyCarriedOut_IsVoid_AndEarnsNothing() external {
        address[] memory seated = voteAll(id, 0, 600, 0);
        passDeadline(t);
        finalize(t);
        court.close(id);
        vm.assertEq(feesOf(seated[0]), 0);
        assertSolvent();
    }

    function test_Release_RevertWhen_StillSitting() external {
        address[] memory seated = seat(id, 0);
        vm.prank(seated[0]);
        court.leave();
        vm.warp(block.timestamp + ARBITER_UNBONDING + 1);
        vm.expectRevert(abi.encodeWithSelector(IArbitration.StillSitting.selector, seated[0], 1));
        vm.prank(seated[0]);
        court.release();
        court.close(id);
        vm.prank(seated[0]);
        court.release();
        vm.assertEq(credit.balanceOf(seated[0]), ARBITER_STAKE - PENALTY);
    }

    /// @dev From every point of a dispute the escrow's own default ends the job.
    function test_NoArbitration_CanHoldAJob() external {
        vm.etch(address(court), hex"fe");
        passDeadline(t);
        finalize(t);
        vm.assertEq(uint256(escrow.jobOf(escrow.jobIdOf(t)).state), uint256(JobState.Closed));
    }

    function testFuzz_WhateverIsVoted_TheBooksBalance(uint16[3] memory units, uint16[3] memory slashes, uint8 silent)
        external
    {
        address[] memory seated = seat(id, 0);
        for (uint256 i; i < 3; ++i) {
            commitAs(seated[i], id, 0, units[i] % 1_001, slashes[i] % 10_001);
        }
        toReveal(id, 0);
        for (uint256 i; i < 3; ++i) {
            if ((silent >> i) & 1 == 0) revealAs(seated[i], id, units[i] % 1_001, slashes[i] % 10_001);
        }
        afterAppeals(id, 0);
        if (silent & 7 == 7) court.close(id);
        else court.executeRuling(id, t);
        assertSolvent();
        JobId job = escrow.jobIdOf(t);
        vm.assertEq(uint256(escrow.jobOf(job).state), uint256(silent & 7 == 7 ? JobState.Disputed : JobState.Closed));
        vm.assertEq(uint256(escrow.accountOf(address(court)).free), 0);
    }
}
