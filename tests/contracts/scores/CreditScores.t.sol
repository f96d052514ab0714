// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ICreditScores} from "../../../contracts/interfaces/ICreditScores.sol";
import {ScorePacking, ScoreSlot} from "../../../contracts/libraries/ScoreSlot.sol";
import {ClosedJob, ClosedJobPacking} from "../../../contracts/libraries/ClosedJob.sol";
import {ClosedBy, Outcome} from "../../../contracts/types/Job.sol";
import {DevStandings} from "../../../contracts/dev/DevStandings.sol";
import {Trade} from "../fixture/Trade.sol";

/// @notice `CreditScores.tree`. Long on purpose: the whole tree shares one way to close a job and to give a standing.
contract CreditScoresTest is Trade {
    uint8 private constant BUYER = 0;
    uint8 private constant PROVIDER = 1;

    /// @dev The escrow's own words, recorded without jobs, and the scores that read them.
    DevStandings private standings;

    function setUp() public override {
        super.setUp();
        standings = DevStandings(create("DevStandings", abi.encode(address(this))));
        scores = ICreditScores(create("CreditScores", abi.encode(standings)));
    }

    /// @dev What the escrow would say of a close, spelt out.
    struct Close {
        address buyer;
        address payer;
        uint104 fee;
        uint104 undelivered;
        uint16 qualityBps;
        ClosedBy cause;
        Outcome outcome;
        bool failed;
        bool buyerLost;
    }

    /// @dev A pass over 100 credits at a fee of 1 %.
    function usual() private view returns (Close memory c) {
        c.buyer = buyer;
        c.payer = buyer;
        c.cause = ClosedBy.Attested;
        c.outcome = Outcome.Pass;
        c.fee = 1e18;
        c.qualityBps = 10_000;
    }

    function record(Close memory c) private {
        recordWith(provider, c);
    }

    function recordWith(address provider_, Close memory c) private {
        ClosedJob closed =
            ClosedJobPacking.pack(c.fee, c.undelivered, c.qualityBps, c.cause, c.outcome, c.failed, c.buyerLost);
        standings.record(c.buyer, c.payer, provider_, closed);
    }

    function assertStanding(address account, uint8 role, uint256 credit_, uint256 debit) private view {
        ICreditScores.Standing memory standing = scores.standingOf(account, role);
        vm.assertEq(uint256(standing.credit), credit_, "credit");
        uint256 sum = uint256(standing.fulfilmentDebit) + standing.qualityDebit + standing.behaviourDebit;
        vm.assertEq(sum, debit, "debits");
    }

    function assertDebits(address account, uint8 role, uint256 fulfilment, uint256 quality, uint256 behaviour)
        private
        view
    {
        ICreditScores.Standing memory standing = scores.standingOf(account, role);
        vm.assertEq(uint256(standing.fulfilmentDebit), fulfilment, "fulfilment");
        vm.assertEq(uint256(standing.qualityDebit), quality, "quality");
        vm.assertEq(uint256(standing.behaviourDebit), behaviour, "behaviour");
    }

    // ---------------------------------------------------------------- record

    function testFuzz_Record_NeverReverts(
        address buyer_,
        address payer_,
        address provider_,
        uint256 closed,
        uint8 repeats,
        uint32 pause
    ) external {
        for (uint256 i; i <= repeats % 5; ++i) {
            standings.record(buyer_, payer_, provider_, ClosedJob.wrap(closed));
            vm.warp(block.timestamp + pause);
            vm.assertLe(scores.scoreOf(provider_, PROVIDER), 10_000);
            vm.assertLe(scores.tierOf(provider_), 3);
        }
    }

    function test_ANewcomer_HasHalf() external view {
        vm.assertEq(uint256(scores.scoreOf(relayer, PROVIDER)), 5_000);
        vm.assertEq(uint256(scores.scoreOf(relayer, BUYER)), 5_000);
        vm.assertEq(uint256(scores.tierOf(relayer)), 0);
    }

    // ---------------------------------------------------------------- provider

    function test_APassBetweenNewcomers_EarnsBothAnEighthOfTheFee() external {
        record(usual());
        assertStanding(provider, PROVIDER, 0.125e18, 0);
        assertStanding(buyer, BUYER, 0.125e18, 0);
        assertStanding(provider, BUYER, 0, 0);
        // (0.125 + 1) / (0.125 + 2) of 10,000, rounded down
        vm.assertEq(uint256(scores.scoreOf(provider, PROVIDER)), 5_294);
    }

    function test_Quality_WeighsTheFee() external {
        Close memory c = usual();
        c.qualityBps = 7_000;
        record(c);
        assertStanding(provider, PROVIDER, 0.0875e18, 0.3e18);
        assertDebits(provider, PROVIDER, 0, 0.3e18, 0);
        assertStanding(buyer, BUYER, 0.0875e18, 0);
    }

    function test_TheQualityOfAFail_DoesNotCount() external {
        Close memory c = usual();
        c.cause = ClosedBy.Ruled;
        c.outcome = Outcome.Fail;
        c.qualityBps = 0;
        record(c);
        assertStanding(provider, PROVIDER, 0.125e18, 0);
    }

    function test_AFailure_CostsTheNominalFeeOfWhatWasNotDelivered() external {
        Close memory c = usual();
        c.cause = ClosedBy.Finalized;
        c.fee = 0.4e18;
        c.undelivered = 60e18;
        c.failed = true;
        record(c);
        assertStanding(provider, PROVIDER, 0.05e18, 0.6e18);
        assertDebits(provider, PROVIDER, 0.6e18, 0, 0);
    }

    function test_AFailureThatARulingFound_CostsTheSameAgain() external {
        Close memory c = usual();
        c.cause = ClosedBy.Ruled;
        c.fee = 0;
        c.undelivered = 100e18;
        c.failed = true;
        record(c);
        assertDebits(provider, PROVIDER, 1e18, 0, 1e18);
    }

    function test_TheLeastFailure_CostsSomething() external {
        Close memory c = usual();
        c.fee = 0;
        c.undelivered = 1;
        c.failed = true;
        record(c);
        assertDebits(provider, PROVIDER, 1e12, 0, 0);
    }

    function test_NothingDeliveredWithoutFault_CostsNothing() external {
        Close memory c = usual();
        c.undelivered = 100e18;
        c.fee = 0;
        record(c);
        assertStanding(provider, PROVIDER, 0, 0);
        assertStanding(buyer, BUYER, 0, 0);
    }

    function test_AnAgreementAfterAFail_ChangesNothing() external {
        Close memory c = usual();
        c.cause = ClosedBy.Agreed;
        c.outcome = Outcome.Fail;
        record(c);
        assertStanding(provider, PROVIDER, 0, 0);
        assertStanding(buyer, BUYER, 0, 0);
    }

    // ---------------------------------------------------------------- buyer

    function test_ABuyerWhoDidNotPay_EarnsNothing() external {
        Close memory c = usual();
        c.payer = sponsor;
        record(c);
        assertStanding(provider, PROVIDER, 0.125e18, 0);
        assertStanding(buyer, BUYER, 0, 0);
        assertStanding(sponsor, BUYER, 0, 0);
    }

    function test_ABuyerWhoDisputedAPassAway_LosesTheNominalFeeOfIt() external {
        Close memory c = usual();
        c.cause = ClosedBy.DisputedByDefault;
        c.fee = 0.25e18;
        c.undelivered = 75e18;
        record(c);
        assertStanding(buyer, BUYER, 0.03125e18, 0.75e18);
        assertDebits(buyer, BUYER, 0, 0, 0.75e18);
        assertStanding(provider, PROVIDER, 0.03125e18, 0);
    }

    function test_ABuyerWhoLostARuling_LosesTheFeeOfWhatItDenied() external {
        Close memory c = usual();
        c.cause = ClosedBy.Ruled;
        c.outcome = Outcome.Claim;
        c.buyerLost = true;
        record(c);
        assertDebits(buyer, BUYER, 0, 0, 1e18);
        assertStanding(provider, PROVIDER, 0.125e18, 0);
    }

    function test_ABuyerWhoLostARulingOnASponsorsMoney_LosesTheSame() external {
        Close memory c = usual();
        c.payer = sponsor;
        c.cause = ClosedBy.Ruled;
        c.outcome = Outcome.Claim;
        c.buyerLost = true;
        record(c);
        assertStanding(buyer, BUYER, 0, 1e18);
    }

    // ---------------------------------------------------------------- trust

    /// @dev A buyer and a provider that nobody else knows, both with `weight` of credit.
    function raised(string memory name, uint256 weight) private returns (address account) {
        account = address(uint160(uint256(keccak256(bytes(name)))));
        giveTo(account, weight, 0);
    }

    function test_AFee_CountsMoreWithWhoIsKnown() external {
        uint256[4] memory weights = [uint256(0), 1e18, 10e18, 100e18];
        for (uint256 tier; tier < 4; ++tier) {
            uint256 clean = vm.snapshotState();
            Close memory c = usual();
            vm.assertEq(uint256(scores.tierOf(raised("known", weights[tier]))), tier);
            recordWith(raised("known", 0), c);
            assertStanding(buyer, BUYER, 0.125e18 * 2 ** tier, 0);
            vm.assertTrue(vm.revertToState(clean));
        }
    }

    function test_AFee_CountsMoreWithAKnownBuyer() external {
        Close memory c = usual();
        c.fee = 10e18;
        for (uint256 i; i < 2; ++i) {
            recordWith(counterpartyIn(i), c);
        }
        assertStanding(buyer, BUYER, 2.5e18, 0);
        vm.assertEq(uint256(scores.tierIn(buyer, BUYER)), 1);
        c.fee = 1e18;
        record(c);
        assertStanding(provider, PROVIDER, 0.25e18, 0);
    }

    // ---------------------------------------------------------------- counterparties

    /// @dev An address whose bucket this week is `bucket`.
    function counterpartyIn(uint256 bucket) private view returns (address) {
        uint256 epoch = ScorePacking.epochOf(block.timestamp);
        for (uint160 i = 1_000;; ++i) {
            if (ScorePacking.bucketOf(address(i), epoch) == bucket) return address(i);
        }
        return address(0);
    }

    function test_ACounterparty_BringsAtMostItsCapInAWeek() external {
        Close memory c = usual();
        c.payer = sponsor;
        for (uint256 i; i < 45; ++i) {
            record(c);
        }
        assertStanding(provider, PROVIDER, 5.115e18, 0);
    }

    function test_ACounterparty_BringsMoreInTheNextWeek() external {
        Close memory c = usual();
        c.payer = sponsor;
        c.fee = 100e18;
        record(c);
        record(c);
        assertStanding(provider, PROVIDER, 5.115e18, 0);
        vm.warp((block.timestamp / 7 days + 1) * 7 days);
        // ⌊5,115,000 · 62,133 / 65,536⌋
        assertStanding(provider, PROVIDER, 4_849_400e12, 0);
        record(c);
        assertStanding(provider, PROVIDER, 4_849_400e12 + 5.115e18, 0);
    }

    function test_ManyJobsOfLittle_FillABucketByUnits() external {
        Close memory c = usual();
        c.payer = sponsor;
        c.fee = 8e12;
        for (uint256 i; i < 3; ++i) {
            record(c);
        }
        assertStanding(provider, PROVIDER, 3e12, 0);
        uint256 epoch = ScorePacking.epochOf(block.timestamp);
        vm.assertEq(scores.slotOf(provider, PROVIDER).earnedIn(ScorePacking.bucketOf(sponsor, epoch)), 3);
    }

    function test_OtherCounterparties_HaveCapsOfTheirOwn_ButForThoseInTheSameBucket() external {
        Close memory c = usual();
        c.fee = 100e18;
        for (uint256 bucket; bucket < 11; ++bucket) {
            c.payer = counterpartyIn(bucket);
            record(c);
        }
        assertStanding(provider, PROVIDER, 11 * 5.115e18, 0);
        c.payer = sponsor;
        record(c);
        assertStanding(provider, PROVIDER, 11 * 5.115e18, 0);
    }

    function test_OneCounterpartyAlone_NeverLiftsAnybodyToTheHighestTier() external {
        Close memory c = usual();
        c.fee = 1_000e18;
        for (uint256 week; week < 300; ++week) {
            record(c);
            vm.assertLt(scores.tierOf(provider), 3);
            vm.assertLt(scores.tierIn(buyer, BUYER), 3);
            vm.warp(block.timestamp + 7 days);
        }
    }

    function test_Debits_HaveNoCap() external {
        Close memory c = usual();
        c.fee = 0;
        c.undelivered = 100_000e18;
        c.failed = true;
        record(c);
        assertStanding(provider, PROVIDER, 0, 1_000e18);
    }

    // ---------------------------------------------------------------- decay

    function test_Weights_StandForAWeek_AndHalveIn13() external {
        record(usual());
        uint256 week = block.timestamp / 7 days;
        vm.warp((week + 1) * 7 days - 1);
        assertStanding(provider, PROVIDER, 0.125e18, 0);
        vm.warp((week + 1) * 7 days);
        // ⌊125,000 · 62,133 / 65,536⌋
        assertStanding(provider, PROVIDER, 118_509e12, 0);
        vm.warp((week + 13) * 7 days);
        assertStanding(provider, PROVIDER, 0.0625e18, 0);
        vm.warp((week + 26) * 7 days);
        assertStanding(provider, PROVIDER, 0.03125e18, 0);
        vm.warp((week + 600) * 7 days);
        assertStanding(provider, PROVIDER, 0, 0);
        vm.assertEq(uint256(scores.scoreOf(provider, PROVIDER)), 5_000);
    }

    function test_AWordThatOnlyDecays_IsNotWritten() external {
        record(usual());
        ScoreSlot was = scores.slotOf(buyer, BUYER);
        vm.warp(block.timestamp + 70 days);
        Close memory c = usual();
        c.fee = 0;
        record(c);
        vm.warp(block.timestamp - 70 days);
        vm.assertEq(bytes32(ScoreSlot.unwrap(scores.slotOf(buyer, BUYER))), bytes32(ScoreSlot.unwrap(was)));
    }

    function testFuzz_Weights_NeverRiseByWaiting(uint32 first, uint32 second) external {
        record(usual());
        vm.warp(START + first);
        uint256 before = scores.standingOf(provider, PROVIDER).credit;
        vm.warp(START + uint256(first) + second);
        vm.assertLe(scores.standingOf(provider, PROVIDER).credit, before);
    }

    // ---------------------------------------------------------------- components and tiers

    function test_Components_EachCountOneKindOfDebit() external {
        Close memory c = usual();
        c.cause = ClosedBy.Ruled;
        c.qualityBps = 0;
        c.undelivered = 300e18;
        c.failed = true;
        record(c);
        // credit 0; fulfilment 3, quality 1, behaviour 3
        ICreditScores.Components memory parts = scores.componentsOf(provider, PROVIDER);
        vm.assertEq(uint256(parts.fulfilmentBps), 2_000);
        vm.assertEq(uint256(parts.qualityBps), 3_333);
        vm.assertEq(uint256(parts.behaviourBps), 2_000);
        vm.assertEq(uint256(scores.scoreOf(provider, PROVIDER)), 1_111);
    }

    /// @dev A standing of exactly these weights, by jobs with sponsors in every bucket.
    function giveTo(address account, uint256 credit_, uint256 debit) private {
        Close memory c = usual();
        uint256 week = block.timestamp;
        c.buyer = address(this);
        for (uint256 i; credit_ > 0; ++i) {
            c.payer = counterpartyIn(i % 11);
            uint256 most = 5.115e18;
            uint256 counted = credit_ < most ? credit_ : most;
            // A second round of buckets, beside the first one.
            if (i == 11) scoresForget(account);
            c.fee = uint104(counted * 8);
            credit_ -= counted;
            recordWith(account, c);
        }
        vm.assertEq(block.timestamp, week);
        if (debit == 0) return;
        c.fee = 0;
        c.failed = true;
        c.undelivered = uint104(debit * 100);
        recordWith(account, c);
    }

    /// @dev Empties the buckets of this week, as if it had just begun, and keeps the weights.
    function scoresForget(address account) private {
        bytes32 place = keccak256(abi.encode(uint256(uint160(account)) | uint256(PROVIDER) << 160, uint256(0)));
        uint256 word = uint256(vm.load(address(standings), place));
        vm.store(address(standings), place, bytes32(word & (2 ** 144 - 1)));
    }

    function assertTier(uint256 credit_, uint256 debit, uint256 tier) private {
        uint256 clean = vm.snapshotState();
        giveTo(provider, credit_, debit);
        assertStanding(provider, PROVIDER, credit_, debit);
        vm.assertEq(uint256(scores.tierOf(provider)), tier);
        vm.assertTrue(vm.revertToState(clean));
    }

    function test_Tiers_ByCredit() external {
        assertTier(1e18 - 1e12, 0, 0);
        assertTier(1e18, 0, 1);
        assertTier(10e18 - 1e12, 0, 1);
        assertTier(10e18, 0, 2);
        assertTier(100e18 - 1e12, 0, 2);
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
}
