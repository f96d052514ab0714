// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ScorePacking, ScoreSlot} from "../../../contracts/libraries/ScoreSlot.sol";
import {Test} from "../cheatcodes/Test.sol";

/// @notice `ScoreSlot.tree`. Words are arbitrary: every one of 2²⁵⁶ must be safe.
contract ScoreSlotTest is Test {
    uint256 private constant FIELD_MAX = type(uint32).max;

    function assertSame(ScoreSlot a, ScoreSlot b) private pure {
        vm.assertEq(bytes32(ScoreSlot.unwrap(a)), bytes32(ScoreSlot.unwrap(b)));
    }

    function min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }

    // ---------------------------------------------------------------- time

    function testFuzz_InItsOwnEpochOrAnEarlierOne_AWordStands(uint256 word, uint16 epoch) external pure {
        ScoreSlot slot = ScoreSlot.wrap(word);
        assertSame(slot.decayedTo(bound(epoch, 0, slot.epoch())), slot);
    }

    function testFuzz_Later_BucketsAreEmptyAndWeightsFell(uint256 word, uint16 later) external pure {
        ScoreSlot slot = ScoreSlot.wrap(word);
        vm.assume(later > slot.epoch());
        ScoreSlot after_ = slot.decayedTo(later);
        vm.assertEq(after_.epoch(), later);
        vm.assertEq(ScoreSlot.unwrap(after_) >> 144, 0);
        vm.assertLe(after_.credit(), slot.credit());
        vm.assertLe(after_.fulfilmentDebit(), slot.fulfilmentDebit());
        vm.assertLe(after_.qualityDebit(), slot.qualityDebit());
        vm.assertLe(after_.behaviourDebit(), slot.behaviourDebit());
    }

    function testFuzz_After13Epochs_ExactlyHalfIsLeft(uint256 word) external pure {
        ScoreSlot slot = ScoreSlot.wrap(word);
        vm.assume(slot.epoch() <= type(uint16).max - 13);
        ScoreSlot after_ = slot.decayedTo(slot.epoch() + 13);
        vm.assertEq(after_.credit(), slot.credit() / 2);
        vm.assertEq(after_.fulfilmentDebit(), slot.fulfilmentDebit() / 2);
        vm.assertEq(after_.qualityDebit(), slot.qualityDebit() / 2);
        vm.assertEq(after_.behaviourDebit(), slot.behaviourDebit() / 2);
    }

    /// @dev Thirteen single steps lose no more than 0.02 % and a few units against one long one, and gain nothing that matters.
    function testFuzz_StepByStepOrAtOnce_TheSameUpToRounding(uint32 credit, uint8 steps) external pure {
        steps = uint8(bound(steps, 1, 26));
        ScoreSlot start = ScoreSlot.wrap(credit);
        ScoreSlot slot = start;
        for (uint256 i = 1; i <= steps; ++i) {
            slot = slot.decayedTo(i);
        }
        uint256 once = start.decayedTo(steps).credit();
        vm.assertLe(slot.credit(), once + once / 5_000 + 1);
        vm.assertGe(slot.credit() + once / 2_500 + 26, once);
    }

    function test_EpochOf_CountsWeeks_AndStaysAtTheLastThatFits() external pure {
        vm.assertEq(ScorePacking.epochOf(7 days - 1), 0);
        vm.assertEq(ScorePacking.epochOf(7 days), 1);
        vm.assertEq(ScorePacking.epochOf(type(uint256).max), type(uint16).max);
    }

    // ---------------------------------------------------------------- conduct

    function testFuzz_Earn_CountsTheLeastOfWeightBucketAndRoom(uint256 word, address counterparty, uint128 weight)
        external
        pure
    {
        ScoreSlot slot = ScoreSlot.wrap(word);
        uint256 bucket = ScorePacking.bucketOf(counterparty, slot.epoch());
        uint256 room = (1_023 - slot.earnedIn(bucket)) * 5_000;
        uint256 counted = min(weight, min(room, FIELD_MAX - slot.credit()));
        ScoreSlot after_ = slot.earn(counterparty, weight);
        vm.assertEq(after_.credit(), slot.credit() + counted);
        vm.assertEq(after_.earnedIn(bucket), slot.earnedIn(bucket) + (counted + 4_999) / 5_000);
    }

    function testFuzz_Earn_ChangesNothingElse(uint256 word, address counterparty, uint128 weight) external pure {
        ScoreSlot slot = ScoreSlot.wrap(word);
        ScoreSlot after_ = slot.earn(counterparty, weight);
        uint256 bucket = ScorePacking.bucketOf(counterparty, slot.epoch());
        uint256 touched = FIELD_MAX | uint256(1_023) << (144 + 10 * bucket);
        vm.assertEq(bytes32(ScoreSlot.unwrap(after_) & ~touched), bytes32(word & ~touched));
    }

    function testFuzz_Lose_RaisesEachDebitAndNothingElse(uint256 word, uint128[3] memory more) external pure {
        ScoreSlot slot = ScoreSlot.wrap(word);
        ScoreSlot after_ = slot.lose(more[0], more[1], more[2]);
        vm.assertEq(after_.fulfilmentDebit(), min(slot.fulfilmentDebit() + more[0], FIELD_MAX));
        vm.assertEq(after_.qualityDebit(), min(slot.qualityDebit() + more[1], FIELD_MAX));
        vm.assertEq(after_.behaviourDebit(), min(slot.behaviourDebit() + more[2], FIELD_MAX));
        uint256 touched = uint256(type(uint96).max) << 32;
        vm.assertEq(bytes32(ScoreSlot.unwrap(after_) & ~touched), bytes32(word & ~touched));
    }

    function testFuzz_EveryBucketIsOneOfEleven(address counterparty, uint16 epoch) external pure {
        vm.assertLt(ScorePacking.bucketOf(counterparty, epoch), 11);
    }

    // ---------------------------------------------------------------- what a word says

    function testFuzz_Score_RisesWithCreditAndFallsWithDebit(uint32 credit, uint64 debit, uint32 more) external pure {
        uint256 score = ScorePacking.shareBps(credit, debit);
        vm.assertLe(score, 10_000);
        vm.assertGe(ScorePacking.shareBps(uint256(credit) + more, debit), score);
        vm.assertLe(ScorePacking.shareBps(credit, uint256(debit) + more), score);
    }

    function test_ANewcomer_HasHalf() external pure {
        vm.assertEq(ScorePacking.shareBps(0, 0), 5_000);
    }

    function testFuzz_Tier_IsWhatCreditAndScoreSay(uint256 word) external pure {
        ScoreSlot slot = ScoreSlot.wrap(word);
        uint256 score = ScorePacking.shareBps(slot.credit(), slot.debits());
        uint256 tier = slot.credit() >= 100e6 && score >= 9_000
            ? 3
            : slot.credit() >= 10e6 && score >= 7_500 ? 2 : slot.credit() >= 1e6 && score >= 6_000 ? 1 : 0;
        vm.assertEq(slot.tier(), tier);
    }
}
