// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice What an account has shown in one role, in one word, from the low bits:
/// credit 32 · fulfilment debit 32 · quality debit 32 · behaviour debit 32 · epoch 16 · what it earned this epoch by bucket of counterparties 11 × 10.
///
/// Weights are in 10⁻⁶ credits, of the end of `epoch`, in weeks since 1970. Counterparties are hashed into buckets, anew each epoch; what a bucket has earned is in
/// 0.005 credits, rounded up. So two counterparties that meet in one bucket, and every rounding, can only make less count: the cap per counterparty never leaks.
type ScoreSlot is uint256;

using ScorePacking for ScoreSlot global;

library ScorePacking {
    /// @dev Atoms of credit to one of weight.
    uint256 internal constant WEIGHT_UNIT = 1e12;
    uint256 internal constant WEIGHT_MAX = type(uint32).max;
    /// @dev Weight of one credit: what a newcomer is supposed to have shown, on either side.
    uint256 internal constant PRIOR = 1e6;
    uint256 internal constant EPOCH = 7 days;
    /// @dev In epochs.
    uint256 internal constant HALF_LIFE = 13;
    uint256 internal constant BUCKETS = 11;
    /// @dev Weight to one of a bucket.
    uint256 internal constant BUCKET_UNIT = 5_000;
    uint256 internal constant BUCKET_MAX = 1_023;

    uint256 private constant FULFILMENT = 32;
    uint256 private constant QUALITY = 64;
    uint256 private constant BEHAVIOUR = 96;
    uint256 private constant EPOCH_AT = 128;
    uint256 private constant EARNED = 144;
    uint256 private constant BUCKET_BITS = 10;
    uint256 private constant BPS = 10_000;

    /// @dev ⌊2¹⁶ · 2^(−i/13)⌋ for i from 0 to 12, 17 bits each, from the low bits.
    uint256 private constant LEFT = 0x87024733a58cd3cdaa71b5820ae7a1882eced46d143986de56b0000;
    uint256 private constant LEFT_BITS = 17;

    // ---------------------------------------------------------------- time

    /// @notice The epoch of a time in seconds; stays at the last one that fits.
    function epochOf(uint256 time) internal pure returns (uint256 epoch_) {
        epoch_ = time / EPOCH;
        if (epoch_ > type(uint16).max) epoch_ = type(uint16).max;
    }

    /// @notice The word in a later epoch: weights decayed, rounded down; buckets empty. Unchanged in its own epoch or an earlier one.
    function decayedTo(ScoreSlot slot, uint256 epoch_) internal pure returns (ScoreSlot) {
        uint256 word = ScoreSlot.unwrap(slot);
        unchecked {
            uint256 since = uint16(word >> EPOCH_AT);
            if (epoch_ <= since) return slot;
            uint256 elapsed = epoch_ - since;
            uint256 left = (LEFT >> (LEFT_BITS * (elapsed % HALF_LIFE))) & 0x1ffff;
            uint256 shift = 16 + elapsed / HALF_LIFE;
            return ScoreSlot.wrap(
                (uint32(word) * left) >> shift | ((uint32(word >> FULFILMENT) * left) >> shift) << FULFILMENT
                    | ((uint32(word >> QUALITY) * left) >> shift) << QUALITY
                    | ((uint32(word >> BEHAVIOUR) * left) >> shift) << BEHAVIOUR | epoch_ << EPOCH_AT
            );
        }
    }

    // ---------------------------------------------------------------- conduct

    /// @notice Earns `weight` with a counterparty in the word's epoch, as far as its bucket and the word have room.
    function earn(ScoreSlot slot, address counterparty, uint256 weight) internal pure returns (ScoreSlot) {
        uint256 word = ScoreSlot.unwrap(slot);
        uint256 shift = EARNED + BUCKET_BITS * bucketOf(counterparty, uint16(word >> EPOCH_AT));
        unchecked {
            uint256 room = (BUCKET_MAX - ((word >> shift) & BUCKET_MAX)) * BUCKET_UNIT;
            if (weight > room) weight = room;
            room = WEIGHT_MAX - uint32(word);
            if (weight > room) weight = room;
            return ScoreSlot.wrap(word + weight + (((weight + BUCKET_UNIT - 1) / BUCKET_UNIT) << shift));
        }
    }

    /// @notice Adds to the debits, each up to the most that fits.
    function lose(ScoreSlot slot, uint256 fulfilment, uint256 quality, uint256 behaviour)
        internal
        pure
        returns (ScoreSlot)
    {
        uint256 word = ScoreSlot.unwrap(slot);
        unchecked {
            word += _upTo(fulfilment, word >> FULFILMENT) << FULFILMENT;
            word += _upTo(quality, word >> QUALITY) << QUALITY;
            word += _upTo(behaviour, word >> BEHAVIOUR) << BEHAVIOUR;
        }
        return ScoreSlot.wrap(word);
    }

    /// @notice Which bucket a counterparty falls in, in an epoch.
    function bucketOf(address counterparty, uint256 epoch_) internal pure returns (uint256 bucket) {
        assembly ("memory-safe") {
            mstore(0x00, or(counterparty, shl(160, epoch_)))
            bucket := mod(keccak256(0x00, 0x20), BUCKETS)
        }
    }

    // ---------------------------------------------------------------- what a word says

    function credit(ScoreSlot slot) internal pure returns (uint256) {
        return uint32(ScoreSlot.unwrap(slot));
    }

    function fulfilmentDebit(ScoreSlot slot) internal pure returns (uint256) {
        return uint32(ScoreSlot.unwrap(slot) >> FULFILMENT);
    }

    function qualityDebit(ScoreSlot slot) internal pure returns (uint256) {
        return uint32(ScoreSlot.unwrap(slot) >> QUALITY);
    }

    function behaviourDebit(ScoreSlot slot) internal pure returns (uint256) {
        return uint32(ScoreSlot.unwrap(slot) >> BEHAVIOUR);
    }

    function epoch(ScoreSlot slot) internal pure returns (uint256) {
        return uint16(ScoreSlot.unwrap(slot) >> EPOCH_AT);
    }

    /// @notice What a bucket has earned in the word's epoch, in units of BUCKET_UNIT.
    function earnedIn(ScoreSlot slot, uint256 bucket) internal pure returns (uint256) {
        return (ScoreSlot.unwrap(slot) >> (EARNED + BUCKET_BITS * bucket)) & BUCKET_MAX;
    }

    function debits(ScoreSlot slot) internal pure returns (uint256) {
        unchecked {
            return slot.fulfilmentDebit() + slot.qualityDebit() + slot.behaviourDebit();
        }
    }

    /// @notice ⌊10,000 · (credit + P) / (credit + debit + 2P)⌋, P = PRIOR: 5,000 of a newcomer.
    function shareBps(uint256 credit_, uint256 debit) internal pure returns (uint256) {
        unchecked {
            return BPS * (credit_ + PRIOR) / (credit_ + debit + 2 * PRIOR);
        }
    }

    /// @notice 0 to 3: the highest tier whose least credit and least score are both reached: 1 from 1 credit and 6,000, 2 from 10 and 7,500,
    /// 3 from 100 and 9,000.
    function tier(ScoreSlot slot) internal pure returns (uint256) {
        uint256 credit_ = slot.credit();
        if (credit_ < 1e6) return 0;
        unchecked {
            uint256 good = credit_ + PRIOR;
            uint256 all = good + slot.debits() + PRIOR;
            if (credit_ >= 100e6 && 10 * good >= 9 * all) return 3;
            if (credit_ >= 10e6 && 4 * good >= 3 * all) return 2;
            return 5 * good >= 3 * all ? 1 : 0;
        }
    }

    /// @dev As much of `more` as the lowest 32 bits of `field` have room for.
    function _upTo(uint256 more, uint256 field) private pure returns (uint256) {
        unchecked {
            uint256 room = WEIGHT_MAX - uint32(field);
            return more < room ? more : room;
        }
    }
}
