// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Parameters} from "../types/Parameters.sol";

/// @notice What `open` reads of the parameters, in one word, from the low bits:
/// fee by tier 4 × 16 · bond by tier 4 × 18 · least dispute window 24 · paused 1 · most locked by tier 4 × 23.
type RatesSlot is uint256;

using RatesPacking for RatesSlot global;

library RatesPacking {
    uint256 internal constant TIERS = 4;

    uint256 private constant BOND = 64;
    uint256 private constant BOND_BITS = 18;
    uint256 private constant BOND_MASK = 2 ** BOND_BITS - 1;
    uint256 private constant MIN_DISPUTE_WINDOW = 136;
    uint256 private constant PAUSED = 160;
    uint256 private constant MAX_LOCKED = 161;
    uint256 private constant MAX_LOCKED_BITS = 23;
    /// Whole credits.
    uint24 internal constant MAX_LOCKED_MASK = 2 ** 23 - 1;
    uint256 private constant CREDIT = 1e18;

    function feeBps(RatesSlot slot, uint256 tier) internal pure returns (uint16) {
        return uint16(RatesSlot.unwrap(slot) >> (16 * tier));
    }

    function bondBps(RatesSlot slot, uint256 tier) internal pure returns (uint24) {
        return uint24((RatesSlot.unwrap(slot) >> (BOND + BOND_BITS * tier)) & BOND_MASK);
    }

    function minDisputeWindow(RatesSlot slot) internal pure returns (uint32) {
        return uint24(RatesSlot.unwrap(slot) >> MIN_DISPUTE_WINDOW);
    }

    /// @notice Most that a provider of a tier may have locked, in atoms; without a cap more than there can be.
    function maxLocked(RatesSlot slot, uint256 tier) internal pure returns (uint256) {
        uint256 credits = maxLockedCredits(slot, tier);
        unchecked {
            return credits == 0 ? type(uint256).max : credits * CREDIT;
        }
    }

    /// @notice The same in whole credits; zero for no cap.
    function maxLockedCredits(RatesSlot slot, uint256 tier) internal pure returns (uint24) {
        return uint24(RatesSlot.unwrap(slot) >> (MAX_LOCKED + MAX_LOCKED_BITS * tier)) & MAX_LOCKED_MASK;
    }

    function paused(RatesSlot slot) internal pure returns (bool) {
        return (RatesSlot.unwrap(slot) >> PAUSED) & 1 == 1;
    }

    function withPaused(RatesSlot slot, bool paused_) internal pure returns (RatesSlot) {
        uint256 flag = uint256(1) << PAUSED;
        uint256 word = RatesSlot.unwrap(slot);
        return RatesSlot.wrap(paused_ ? word | flag : word & ~flag);
    }

    /// @dev Within the caps that `Governance` puts on them, all fit.
    function pack(Parameters memory parameters, bool paused_) internal pure returns (RatesSlot) {
        uint256 word = uint256(parameters.minDisputeWindow) << MIN_DISPUTE_WINDOW;
        for (uint256 tier; tier < TIERS; ++tier) {
            word |= uint256(parameters.feeBps[tier]) << (16 * tier);
            word |= uint256(parameters.bondBps[tier]) << (BOND + BOND_BITS * tier);
            word |= uint256(parameters.maxLocked[tier]) << (MAX_LOCKED + MAX_LOCKED_BITS * tier);
        }
        return RatesSlot.wrap(word).withPaused(paused_);
    }
}
