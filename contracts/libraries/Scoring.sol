// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ClosedJob} from "./ClosedJob.sol";
import {ScorePacking, ScoreSlot} from "./ScoreSlot.sol";

/// @notice What a closed job does to the words of its two sides. Pure: SPEC.md has the formulas, `ICreditScores` the reasons.
library Scoring {
    uint256 internal constant NOMINAL_FEE_BPS = 100;

    uint256 private constant BPS = 10_000;
    uint256 private constant TOP_TIER = 3;

    /// @notice The provider's word after a close. `slot` is in the epoch of the close.
    /// @param payerTier Tier of the payer as a buyer; 0 where it is not the buyer.
    function providerAfter(ScoreSlot slot, address payer, uint256 payerTier, ClosedJob closed)
        internal
        pure
        returns (ScoreSlot)
    {
        uint256 quality = closed.qualityBps();
        uint256 fee = closed.fee();
        bool failed = closed.failed();
        unchecked {
            slot = slot.earn(payer, _countedDown(fee * quality, payerTier));
            if (!failed && quality == BPS) return slot;
            uint256 undelivered = failed ? _nominalUp(closed.undelivered()) : 0;
            return
                slot.lose(
                    undelivered, _weightUp(fee * (BPS - quality), BPS), failed && closed.ruled() ? undelivered : 0
                );
        }
    }

    /// @notice The buyer's word after a close. `slot` is in the epoch of the close.
    /// @param paidItself The payer is the buyer.
    /// @param providerTier Tier of the provider.
    function buyerAfter(ScoreSlot slot, bool paidItself, address provider, uint256 providerTier, ClosedJob closed)
        internal
        pure
        returns (ScoreSlot)
    {
        if (paidItself) slot = slot.earn(provider, _countedDown(closed.fee() * closed.qualityBps(), providerTier));
        uint256 denied = deniedBy(closed);
        return denied == 0 ? slot : slot.lose(0, 0, denied);
    }

    /// @notice What the buyer's word loses: the nominal fee of what a pass was denied by default, or the fee that a ruling made due against it.
    function deniedBy(ClosedJob closed) internal pure returns (uint256) {
        if (closed.passDenied()) return _nominalUp(closed.undelivered());
        return closed.buyerLost() ? _weightUp(closed.fee(), 1) : 0;
    }

    /// @dev All of a fee with the highest tier, half as much with each one below. `feeBps` is fee · quality.
    function _countedDown(uint256 feeBps, uint256 tier) private pure returns (uint256) {
        unchecked {
            return (feeBps << tier) / ((BPS * ScorePacking.WEIGHT_UNIT) << TOP_TIER);
        }
    }

    function _nominalUp(uint256 undelivered) private pure returns (uint256) {
        unchecked {
            return _weightUp(undelivered * NOMINAL_FEE_BPS, BPS);
        }
    }

    /// @dev Weight of `amount / parts` atoms.
    function _weightUp(uint256 amount, uint256 parts) private pure returns (uint256) {
        unchecked {
            uint256 unit = parts * ScorePacking.WEIGHT_UNIT;
            return (amount + unit - 1) / unit;
        }
    }
}
