// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ScorePacking, ScoreSlot} from "../../../contracts/libraries/ScoreSlot.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice For every word of a score. Bit 255 and bit 254 of it are no field's: the escrow's own mark lies there.
contract ScoreSlotSymbolic is Symbolic {
    uint256 private constant MAX = type(uint32).max;

    function check_Earn_NeverLowers_NorOverflows_TheCredit(uint256 word, address counterparty, uint256 weight)
        external
        pure
    {
        ScoreSlot before = ScoreSlot.wrap(word);
        vm.assume(ScorePacking.bucketOf(counterparty, before.epoch()) < 11);
        uint256 after_ = before.earn(counterparty, weight).credit();
        assert(after_ >= before.credit() && after_ - before.credit() <= weight);
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

    function check_Tier_NeverFallsByCredit(uint256 word, uint32 credit) external pure {
        ScoreSlot slot = ScoreSlot.wrap(word);
        vm.assume(credit >= slot.credit());
        assert(ScoreSlot.wrap((word & ~mask(0, 32)) | credit).tier() >= slot.tier());
    }

    function check_Tier_NeverRisesByDebit(uint256 word, uint32 fulfilment, uint32 quality, uint32 behaviour)
        external
        pure
    {
        ScoreSlot slot = ScoreSlot.wrap(word);
        uint256 debits = uint256(fulfilment) << 32 | uint256(quality) << 64 | uint256(behaviour) << 96;
        ScoreSlot worse = ScoreSlot.wrap((word & ~mask(32, 96)) | debits);
        vm.assume(worse.debits() >= slot.debits());
        assert(worse.tier() <= slot.tier());
    }
}
