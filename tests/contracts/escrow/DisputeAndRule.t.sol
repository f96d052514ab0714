// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {ClosedBy, JobState, Outcome} from "../../../contracts/types/Job.sol";
import {JobId} from "../../../contracts/types/JobId.sol";
import {Ruling} from "../../../contracts/types/Ruling.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Books} from "../fixture/Books.sol";
import {Closed} from "../fixture/EscrowEvents.sol";
import {SigningContract} from "../fixture/SigningContract.sol";

/// @notice `dispute_rule_agree_cancel.tree`, dispute and rule.
contract DisputeAndRuleTest is Books {
    // ---------------------------------------------------------------- dispute

    function test_Dispute_GivesTheArbiterItsWindow_ForAnyParty() external {
        address[3] memory parties = [buyer, sponsor, provider];
        for (uint256 i; i < parties.length; ++i) {
            Terms memory t = sponsoredTerms();
            t.nonce = uint48(i + 1);
            JobId id = open(t);
            propose(t, 600);
            watch();

            vm.expectEmit(address(escrow));
            emit IJobEscrow.JobDisputed(id, parties[i], uint40(START + t.rulingWindow));
            vm.prank(parties[i]);
            escrow.dispute(t);

            assertNoMoneyMoved();
            assertJob(t, JobState.Disputed, Outcome.Claim, 0, 600, START + t.rulingWindow);
        }
    }

    function test_Dispute_OfAPassAFailAndNoFault() external {
        Terms memory t = slowTerms();
        openPending(t);
        disputeAs(buyer, t);
        assertJob(t, JobState.Disputed, Outcome.Pass, 0, 600, START + t.rulingWindow);

        t.nonce = 2;
        open(t);
        fail(t);
        disputeAs(provider, t);
        assertJob(t, JobState.Disputed, Outcome.Fail, 0, 0, START + t.rulingWindow);

        t.nonce = 3;
        open(t);
        noFault(t);
        disputeAs(buyer, t);
        assertJob(t, JobState.Disputed, Outcome.NoFault, 0, 0, START + t.rulingWindow);
    }

    function test_Dispute_AtTheLastSecond() external {
        Terms memory t = usualTerms();
        open(t);
        propose(t, 600);
        vm.warp(START + t.disputeWindow);
        disputeAs(buyer, t);
        assertJob(t, JobState.Disputed, Outcome.Claim, 0, 600, block.timestamp + t.rulingWindow);
    }

    function test_Dispute_ClosesByDefault_WhenNobodyArbitrates() external {
        Terms memory t = usualTerms();
        t.arbiter = address(0);
        t.arbiterFee = 0;
        open(t);
        reading(t, 100);
        propose(t, 600);
        watch();

        disputeAs(buyer, t);

        assertClosed(t, buyer, paying(t, ClosedBy.DisputedByDefault, Outcome.Claim, 100, true));
    }

    function test_Dispute_OfAFail_FreesTheBond_WhenNobodyArbitrates() external {
        Terms memory t = usualTerms();
        t.arbiter = address(0);
        open(t);
        fail(t);
        watch();

        disputeAs(provider, t);

        assertClosed(t, provider, paying(t, ClosedBy.DisputedByDefault, Outcome.Fail, 0, true));
    }

    function test_Dispute_RevertWhen_TheCallerIsNoParty() external {
        Terms memory t = usualTerms();
        open(t);
        propose(t, 600);
        address[4] memory others = [sponsor, verifier, arbiter, relayer];
        for (uint256 i; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IJobEscrow.CallerNotParty.selector, others[i]));
            vm.prank(others[i]);
            escrow.dispute(t);
        }
    }

    function test_Dispute_RevertWhen_NothingIsPending() external {
        Terms memory t = usualTerms();
        open(t);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.WrongState.selector, JobState.Open, Outcome.NoFault));
        vm.prank(buyer);
        escrow.dispute(t);
    }

    function test_Dispute_RevertWhen_DisputedBefore() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.WrongState.selector, JobState.Disputed, Outcome.Claim));
        vm.prank(provider);
        escrow.dispute(t);
    }

    function test_Dispute_RevertWhen_TheWindowHasPassed() external {
        Terms memory t = usualTerms();
        open(t);
        propose(t, 600);
        passDeadline(t);
        uint256 deadline = START + t.disputeWindow;
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.TooLate.selector, deadline + 1, deadline));
        vm.prank(buyer);
        escrow.dispute(t);
    }

    // ---------------------------------------------------------------- rule

    /// @dev A close by ruling, with the arbiter's fee split by costBps of 10,000.
    function ruled(Terms memory t, uint64 units, uint16 costBps, bool verifierEarned)
        private
        pure
        returns (Closed memory c)
    {
        c = paying(t, ClosedBy.Ruled, Outcome.Claim, units, verifierEarned);
        c.arbiterFromBond = uint104(uint256(t.arbiterFee) * costBps / 10_000);
        c.arbiterFromEscrow = t.arbiterFee - c.arbiterFromBond;
        c.refund -= c.arbiterFromEscrow;
        c.bondReturned -= c.arbiterFromBond;
    }

    function test_Rule_ForTheProvider_TakesTheFeeFromTheEscrow() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        watch();

        rule(t, ruling(t, 600, 0, 0));

        assertClosed(t, relayer, ruled(t, 600, 0, false));
    }

    function test_Rule_ForTheBuyer_TakesFeeAndSlashFromTheBond() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        watch();

        rule(t, ruling(t, 0, 5_000, 10_000));

        Closed memory c = ruled(t, 0, 10_000, false);
        c.bondToBuyer = 5e17 + 1; // half of 10^18 + 3, rounded down
        c.bondReturned -= c.bondToBuyer;
        assertClosed(t, relayer, c);
    }

    function test_Rule_SplitsTheFee_RoundingTheBondsShareDown() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        watch();

        rule(t, ruling(t, 300, 0, 3_333));

        Closed memory c = ruled(t, 300, 3_333, false);
        vm.assertEq(uint256(c.arbiterFromBond), 66_660_000_000_000_000);
        vm.assertEq(uint256(c.arbiterFromEscrow), 133_340_000_000_000_001);
        assertClosed(t, relayer, c);
    }

    function test_Rule_SlashesAtMostWhatTheArbitersShareLeft() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        watch();

        rule(t, ruling(t, 0, 10_000, 10_000));

        Closed memory c = ruled(t, 0, 10_000, false);
        c.bondToBuyer = t.bond - t.arbiterFee;
        c.bondReturned = 0;
        assertClosed(t, relayer, c);
    }

    function test_Rule_SlashesToTheTreasury_WhatTheBuyerDidNotLose() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        watch();

        rule(t, ruling(t, 999, 10_000, 0));

        Closed memory c = ruled(t, 999, 0, false);
        c.bondToBuyer = t.unitPrice; // one unit was not delivered
        c.bondToTreasury = t.bond - t.unitPrice;
        c.bondReturned = 0;
        assertClosed(t, relayer, c);
    }

    function test_Rule_NeverPaysLessThanWasAccepted() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        reading(t, 400);
        watch();

        rule(t, ruling(t, 0, 0, 0));

        assertClosed(t, relayer, ruled(t, 400, 0, true));
    }

    function test_Rule_DoesNotPayTheLeastUnits() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        watch();

        rule(t, ruling(t, 1, 0, 0));

        assertClosed(t, relayer, ruled(t, 1, 0, false));
    }

    function test_Rule_PaysAVerifierWhoseFailWasOverruled() external {
        Terms memory t = usualTerms();
        open(t);
        fail(t);
        disputeAs(provider, t);
        watch();

        rule(t, ruling(t, 1_000, 0, 0));

        Closed memory c = ruled(t, 1_000, 0, true);
        c.outcome = Outcome.Fail;
        assertClosed(t, relayer, c);
    }

    function test_Rule_ByCall_AtTheLastSecond() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        vm.warp(START + t.rulingWindow);
        Ruling memory r = ruling(t, 600, 0, 0);
        watch();

        vm.prank(arbiter);
        escrow.rule(t, r, "");

        assertClosed(t, arbiter, ruled(t, 600, 0, false));
    }

    function test_Rule_ByAPanel_WithoutItsConsent() external {
        SigningContract panel = new SigningContract();
        Terms memory t = usualTerms();
        t.arbiter = address(panel);
        openDisputed(t);

        escrow.rule(t, ruling(t, 600, 0, 0), "any");

        assertJob(t, JobState.Closed, Outcome.Claim, 600, 0, 0);
        vm.assertEq(uint256(escrow.accountOf(address(panel)).free), t.arbiterFee);
    }

    function expectRefused(Terms memory t, Ruling memory r, bytes memory reason) private {
        bytes memory signature = sign(t.arbiter, escrow.rulingDigest(r));
        vm.expectRevert(reason);
        vm.prank(relayer);
        escrow.rule(t, r, signature);
    }

    function test_Rule_RevertWhen_ItIsForAnotherJob() external {
        Terms memory t = usualTerms();
        JobId id = openDisputed(t);
        Ruling memory r = ruling(t, 600, 0, 0);
        r.job = JobId.wrap(keccak256("another"));
        expectRefused(t, r, abi.encodeWithSelector(IJobEscrow.WrongJob.selector, r.job, id));
    }

    function test_Rule_RevertWhen_NobodyDisputed() external {
        Terms memory t = usualTerms();
        open(t);
        expectRefused(
            t,
            ruling(t, 600, 0, 0),
            abi.encodeWithSelector(IJobEscrow.WrongState.selector, JobState.Open, Outcome.NoFault)
        );
        propose(t, 600);
        expectRefused(
            t,
            ruling(t, 600, 0, 0),
            abi.encodeWithSelector(IJobEscrow.WrongState.selector, JobState.Pending, Outcome.Claim)
        );
    }

    function test_Rule_RevertWhen_TheWindowHasPassed() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        passDeadline(t);
        uint256 deadline = START + t.rulingWindow;
        expectRefused(
            t, ruling(t, 600, 0, 0), abi.encodeWithSelector(IJobEscrow.TooLate.selector, deadline + 1, deadline)
        );
    }

    function test_Rule_RevertWhen_TheUnitsExceedTheMost() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        expectRefused(
            t, ruling(t, 1_001, 0, 0), abi.encodeWithSelector(IJobEscrow.UnitsOutOfRange.selector, 1_001, 0, 1_000)
        );
    }

    function test_Rule_RevertWhen_ASharesExceedsTheWhole() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        bytes memory reason = abi.encodeWithSelector(IJobEscrow.ShareTooLarge.selector, 10_001, 10_000);
        expectRefused(t, ruling(t, 600, 10_001, 0), reason);
        expectRefused(t, ruling(t, 600, 0, 10_001), reason);
    }

    function test_Rule_RevertWhen_AnybodyElseSignedOrCalled() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        Ruling memory r = ruling(t, 600, 0, 0);
        address[4] memory others = [buyer, provider, verifier, relayer];
        for (uint256 i; i < others.length; ++i) {
            bytes memory signature = sign(others[i], escrow.rulingDigest(r));
            vm.expectRevert(abi.encodeWithSelector(IJobEscrow.NotAuthorised.selector, arbiter));
            vm.prank(others[i]);
            escrow.rule(t, r, signature);
        }
    }
}
