// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ICreditScores} from "../../../contracts/interfaces/ICreditScores.sol";
import {ClosedJob} from "../../../contracts/types/ClosedJob.sol";
import {ClosedBy, Outcome} from "../../../contracts/types/Job.sol";
import {JobId} from "../../../contracts/types/JobId.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Trade} from "../fixture/Trade.sol";

/// @notice `CreditScores.tree`.
contract CreditScoresTest is Trade {
    uint8 private constant BUYER = 0;
    uint8 private constant PROVIDER = 1;

    /// @dev A pass over 100 credits at a fee of 1 %.
    function usual() private view returns (ClosedJob memory c) {
        c.job = JobId.wrap(keccak256("job"));
        c.buyer = buyer;
        c.payer = buyer;
        c.provider = provider;
        c.cause = ClosedBy.Attested;
        c.outcome = Outcome.Pass;
        c.paid = 100e18;
        c.fee = 1e18;
        c.value = 100e18;
        c.qualityBps = 10_000;
    }

    function record(ClosedJob memory closed) private {
        vm.prank(address(escrow));
        scores.record(closed);
    }

    function assertStanding(address account, uint8 role, uint256 credit_, uint256 debit) private view {
        ICreditScores.Standing memory standing = scores.standingOf(account, role);
        vm.assertEq(uint256(standing.credit), credit_, "credit");
        vm.assertEq(uint256(standing.debit), debit, "debit");
    }

    // ---------------------------------------------------------------- record

    function test_RevertWhen_TheCallerIsNotTheEscrow() external {
        vm.expectRevert(abi.encodeWithSelector(ICreditScores.CallerNotEscrow.selector, address(this), address(escrow)));
        scores.record(usual());
    }

    function test_ANewcomer_HasHalf() external view {
        vm.assertEq(uint256(scores.scoreOf(relayer, PROVIDER)), 5_000);
        vm.assertEq(uint256(scores.scoreOf(relayer, BUYER)), 5_000);
        vm.assertEq(uint256(scores.tierOf(relayer)), 0);
    }

    function test_APass_EarnsBothSidesTheFee() external {
        // (1 + 1) / (1 + 0 + 2) of 10,000, rounded down
        vm.expectEmit(address(scores));
        emit ICreditScores.ScoreChanged(provider, PROVIDER, keccak256("job"), 6_666, 1e18, 0, uint40(block.timestamp));
        vm.expectEmit(address(scores));
        emit ICreditScores.ScoreChanged(buyer, BUYER, keccak256("job"), 6_666, 1e18, 0, uint40(block.timestamp));
        record(usual());

        assertStanding(provider, PROVIDER, 1e18, 0);
        assertStanding(buyer, BUYER, 1e18, 0);
        assertStanding(provider, BUYER, 0, 0);
        vm.assertEq(uint256(scores.scoreOf(provider, PROVIDER)), 6_666);
    }

    function test_Quality_WeighsTheFee() external {
        ClosedJob memory c = usual();
        c.qualityBps = 7_000;
        record(c);
        assertStanding(provider, PROVIDER, 0.7e18, 0.3e18);
        assertStanding(buyer, BUYER, 0.7e18, 0);
    }

    function test_AFailure_CostsTheNominalFeeOfWhatWasNotDelivered() external {
        ClosedJob memory c = usual();
        c.paid = 40e18;
        c.fee = 0.4e18;
        c.failed = true;
        record(c);
        assertStanding(provider, PROVIDER, 0.4e18, 0.6e18);
    }

    function test_NothingDeliveredWithoutFault_CostsNothing() external {
        ClosedJob memory c = usual();
        c.paid = 0;
        c.fee = 0;
        record(c);
        assertStanding(provider, PROVIDER, 0, 0);
        assertStanding(buyer, BUYER, 0, 0);
    }

    function test_AnAgreementAfterAFail_ChangesNothing() external {
        ClosedJob memory c = usual();
        c.cause = ClosedBy.Agreed;
        c.outcome = Outcome.Fail;
        record(c);
        assertStanding(provider, PROVIDER, 0, 0);
        assertStanding(buyer, BUYER, 0, 0);
    }

    function test_ABuyerWhoDidNotPay_EarnsNothing() external {
        ClosedJob memory c = usual();
        c.payer = sponsor;
        record(c);
        assertStanding(provider, PROVIDER, 1e18, 0);
        assertStanding(buyer, BUYER, 0, 0);
        assertStanding(sponsor, BUYER, 0, 0);
    }

    function test_ABuyerWhoDisputedAPassAway_LosesTheNominalFeeOfIt() external {
        ClosedJob memory c = usual();
        c.cause = ClosedBy.DisputedByDefault;
        c.paid = 25e18;
        c.fee = 0.25e18;
        record(c);
        assertStanding(buyer, BUYER, 0.25e18, 0.75e18);
        assertStanding(provider, PROVIDER, 0.25e18, 0);
    }

    struct Seeds {
        address buyer;
        address payer;
        address provider;
        uint8 cause;
        uint8 outcome;
        uint104 value;
        uint104 paid;
        uint104 fee;
        uint16 qualityBps;
        bool failed;
        uint8 repeats;
        uint32 pause;
    }

    function testFuzz_Record_NeverRevertsForTheEscrow(Seeds memory seeds) external {
        ClosedJob memory c;
        c.buyer = seeds.buyer;
        c.payer = seeds.payer;
        c.provider = seeds.provider;
        c.cause = ClosedBy(bound(seeds.cause, 0, 6));
        c.outcome = Outcome(bound(seeds.outcome, 0, 3));
        c.value = seeds.value;
        c.paid = uint104(bound(seeds.paid, 0, c.value));
        c.fee = uint104(bound(seeds.fee, 0, c.paid / 20));
        c.qualityBps = uint16(bound(seeds.qualityBps, 0, 10_000));
        c.failed = seeds.failed;
        for (uint256 i; i <= seeds.repeats % 5; ++i) {
            record(c);
            vm.warp(block.timestamp + seeds.pause);
            vm.assertLe(scores.scoreOf(c.provider, PROVIDER), 10_000);
            vm.assertLe(scores.tierOf(c.provider), 3);
        }
    }

    // ---------------------------------------------------------------- pairs

    function test_APair_EarnsAtMostItsCapInAPeriod() external {
        for (uint256 i; i < 7; ++i) {
            record(usual());
        }
        assertStanding(provider, PROVIDER, 5e18, 0);
        assertStanding(buyer, BUYER, 5e18, 0);
    }

    function test_APair_EarnsUpToTheLastAtomOfItsCap() external {
        ClosedJob memory c = usual();
        c.fee = 5e18 - 1;
        c.paid = 500e18;
        c.value = 500e18;
        record(c);
        record(c);
        assertStanding(provider, PROVIDER, 5e18, 0);
    }

    function test_APair_EarnsAgainInTheNextPeriod() external {
        ClosedJob memory c = usual();
        c.fee = 5e18;
        c.value = 500e18;
        c.paid = 500e18;
        record(c);
        vm.warp(START + 30 days - 1);
        uint256 before = scores.standingOf(provider, PROVIDER).credit;
        record(c);
        vm.assertEq(uint256(scores.standingOf(provider, PROVIDER).credit), before);
        vm.warp(START + 30 days);
        before = scores.standingOf(provider, PROVIDER).credit;
        record(c);
        vm.assertEq(uint256(scores.standingOf(provider, PROVIDER).credit), before + 5e18);
    }

    function test_AnotherPayer_HasACapOfItsOwn() external {
        ClosedJob memory c = usual();
        c.fee = 5e18;
        c.value = 500e18;
        c.paid = 500e18;
        record(c);
        c.payer = sponsor;
        record(c);
        assertStanding(provider, PROVIDER, 10e18, 0);
    }

    function test_Debits_HaveNoCap() external {
        ClosedJob memory c = usual();
        c.paid = 0;
        c.fee = 0;
        c.value = 10_000e18;
        c.failed = true;
        record(c);
        assertStanding(provider, PROVIDER, 0, 100e18);
    }

    // ---------------------------------------------------------------- decay

    function test_Weights_HalveInAHalfLife_LinearlyInBetween() external {
        record(usual());
        vm.warp(START + 45 days);
        assertStanding(provider, PROVIDER, 0.75e18, 0);
        vm.warp(START + 90 days);
        assertStanding(provider, PROVIDER, 0.5e18, 0);
        vm.warp(START + 135 days);
        assertStanding(provider, PROVIDER, 0.375e18, 0);
        vm.warp(START + 90 days * 300);
        assertStanding(provider, PROVIDER, 0, 0);
        vm.assertEq(uint256(scores.scoreOf(provider, PROVIDER)), 5_000);
    }

    function testFuzz_Weights_NeverRiseByWaiting(uint32 first, uint32 second) external {
        record(usual());
        vm.warp(START + first);
        uint256 before = scores.standingOf(provider, PROVIDER).credit;
        vm.warp(START + uint256(first) + second);
        vm.assertLe(scores.standingOf(provider, PROVIDER).credit, before);
    }

    // ---------------------------------------------------------------- tiers

    /// @dev A standing of exactly these weights, by jobs with fresh payers. Fees in steps of the pair's cap.
    function give(uint256 credit_, uint256 debit) private {
        ClosedJob memory c = usual();
        c.value = type(uint104).max;
        c.paid = type(uint104).max;
        for (uint256 i; credit_ > 0; ++i) {
            c.payer = address(uint160(1_000 + i));
            c.fee = uint104(credit_ < 5e18 ? credit_ : 5e18);
            credit_ -= c.fee;
            record(c);
        }
        if (debit == 0) return;
        c.fee = 0;
        c.failed = true;
        c.paid = 0;
        c.value = uint104(debit * 100);
        record(c);
    }

    function assertTier(uint256 credit_, uint256 debit, uint256 tier) private {
        uint256 clean = vm.snapshotState();
        give(credit_, debit);
        assertStanding(provider, PROVIDER, credit_, debit);
        vm.assertEq(uint256(scores.tierOf(provider)), tier);
        vm.assertTrue(vm.revertToState(clean));
    }

    function test_Tiers_ByCredit() external {
        assertTier(1e18 - 1, 0, 0);
        assertTier(1e18, 0, 1);
        assertTier(10e18 - 1, 0, 1);
        assertTier(10e18, 0, 2);
        assertTier(100e18 - 1, 0, 2);
        assertTier(100e18, 0, 3);
    }

    function test_Tiers_ByScore() external {
        // (100 + 1) / (100 + d + 2): 9,000 at d = 10.2222, 7,500 at d = 32.6666, 6,000 at d = 66.3333
        assertTier(100e18, 10.22e18, 3);
        assertTier(100e18, 10.24e18, 2);
        assertTier(100e18, 32.66e18, 2);
        assertTier(100e18, 32.68e18, 1);
        assertTier(100e18, 66.33e18, 1);
        assertTier(100e18, 66.35e18, 0);
    }

    function test_RevertWhen_TheRoleDoesNotExist() external {
        vm.expectRevert(abi.encodeWithSelector(ICreditScores.NoSuchRole.selector, 2));
        scores.scoreOf(provider, 2);
        vm.expectRevert(abi.encodeWithSelector(ICreditScores.NoSuchRole.selector, 255));
        scores.standingOf(provider, 255);
    }

    // ---------------------------------------------------------------- through the escrow

    function test_ThroughTheEscrow_APassRaisesBothSides() external {
        Terms memory t = usualTerms();
        open(t);
        pass(t, t.maxUnits);
        assertStanding(provider, PROVIDER, (3e18 + 1_000) / 100, 0);
        assertStanding(buyer, BUYER, (3e18 + 1_000) / 100, 0);
    }

    function test_ThroughTheEscrow_SilenceToTheEndLowersTheProvider() external {
        Terms memory t = usualTerms();
        open(t);
        passDeadline(t);
        reclaim(t);
        assertStanding(provider, PROVIDER, 0, (3e18 + 1_000) / 100);
        assertStanding(buyer, BUYER, 0, 0);
    }

    function test_ThroughTheEscrow_ARulingThatSlashesLowersTheProvider() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        rule(t, ruling(t, 0, 1, 0));
        assertStanding(provider, PROVIDER, 0, (3e18 + 1_000) / 100);
    }

    function test_ThroughTheEscrow_ARulingThatSlashesNothing_DoesNot() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        rule(t, ruling(t, 0, 0, 10_000));
        assertStanding(provider, PROVIDER, 0, 0);
    }

    function test_ThroughTheEscrow_ABetterTierPaysLessFeeAndBond() external {
        give(100e18, 0);
        Terms memory t = usualTerms();
        t.arbiterFee = 0;
        t.bond = uint104(uint256(t.unitPrice) * t.maxUnits / 20);
        open(t);
        vm.assertEq(uint256(escrow.jobOf(escrow.jobIdOf(t)).feeBps), 40);
    }
}
