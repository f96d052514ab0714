// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ScorePacking, ScoreSlot} from "../../../contracts/libraries/ScoreSlot.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice For every word of a score. Bit 255 and bit 254 of it are no field's: the escrow's own mark lies there.
contract ScoreSlotSymbolic is Symbolic {
    uint256 private constant MAX = type(uint32).max;

    function check_Earn_IsCapped_AndTouchesCreditAndOneBucketAlone(uint256 word, address counterparty, uint256 weight)
        external
        pure
    {
        ScoreSlot before = ScoreSlot.wrap(word);
        uint256 bucket = ScorePacking.bucketOf(counterparty, before.epoch());
        vm.assume(bucket < 11);
        ScoreSlot after_ = before.earn(counterparty, weight);
        uint256 gain = after_.credit() - before.credit(); // panics if it fell
        assert(gain <= weight && gain <= MAX - before.credit());
        uint256 room = 1_023 - before.earnedIn(bucket);
        assert(gain <= room * 5_000);
        assert(gain == weight || gain == room * 5_000 || after_.credit() == MAX);
        uint256 filled = after_.earnedIn(bucket) - before.earnedIn(bucket); // panics if it fell
        assert(filled * 5_000 >= gain && filled * 5_000 < gain + 5_000);
        assert(sameBut(ScoreSlot.unwrap(after_), word, mask(0, 32) | mask(144 + 10 * bucket, 10)));
    }

    function check_Lose_AddsUpToTheMost_AndTouchesDebitsAlone(
        uint256 word,
        uint256 fulfilment,
        uint256 quality,
        uint256 behaviour
    ) external pure {
        ScoreSlot before = ScoreSlot.wrap(word);
        ScoreSlot after_ = before.lose(fulfilment, quality, behaviour);
        assert(after_.fulfilmentDebit() == upTo(before.fulfilmentDebit(), fulfilment));
        assert(after_.qualityDebit() == upTo(before.qualityDebit(), quality));
        assert(after_.behaviourDebit() == upTo(before.behaviourDebit(), behaviour));
        assert(sameBut(ScoreSlot.unwrap(after_), word, mask(32, 96)));
    }

    function upTo(uint256 debit, uint256 more) private pure returns (uint256) {
        return more > MAX - debit ? MAX : debit + more;
    }

    function check_Decay_RaisesNothing_AndEmptiesBuckets(uint256 word, uint16 epoch) external pure {
        ScoreSlot before = ScoreSlot.wrap(word);
        ScoreSlot after_ = before.decayedTo(epoch);
        if (epoch <= before.epoch()) {
            assert(ScoreSlot.unwrap(after_) == word);
            return;
        }
        assert(after_.credit() <= before.credit());
        assert(after_.fulfilmentDebit() <= before.fulfilmentDebit());
        assert(after_.qualityDebit() <= before.qualityDebit());
        assert(after_.behaviourDebit() <= before.behaviourDebit());
        assert(ScoreSlot.unwrap(after_) >> 128 == epoch);
    }

    function check_Tier_NeverFallsByCredit_NorRisesByDebit(uint256 word, uint32 credit, uint32 debit) external pure {
        ScoreSlot slot = ScoreSlot.wrap(word);
        uint256 tier = slot.tier();
        assert(tier <= 3);
        uint256 rest = word & ~mask(0, 32);
        if (credit >= slot.credit()) assert(ScoreSlot.wrap(rest | credit).tier() >= tier);
        rest = word & ~mask(64, 32);
        if (debit >= slot.qualityDebit()) assert(ScoreSlot.wrap(rest | uint256(debit) << 64).tier() <= tier);
    }
}
