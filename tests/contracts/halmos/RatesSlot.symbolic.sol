// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {RatesPacking, RatesSlot} from "../../../contracts/libraries/RatesSlot.sol";
import {Parameters} from "../../../contracts/types/Parameters.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice For all parameters within the hard caps.
contract RatesSlotSymbolic is Symbolic {
    function check_Pack_GivesBackEveryTier(
        uint16[4] calldata feeBps,
        uint24[4] calldata bondBps,
        uint24[4] calldata maxLocked,
        uint32 minDisputeWindow,
        bool paused
    ) external pure {
        for (uint256 tier; tier < 4; ++tier) {
            vm.assume(bondBps[tier] <= 200_000 && maxLocked[tier] < 2 ** 23);
        }
        vm.assume(minDisputeWindow <= 7 days);
        Parameters memory given = Parameters(feeBps, bondBps, maxLocked, minDisputeWindow, address(0), address(0));
        RatesSlot slot = RatesPacking.pack(given, paused);
        for (uint256 tier; tier < 4; ++tier) {
            assert(slot.feeBps(tier) == feeBps[tier]);
            assert(slot.bondBps(tier) == bondBps[tier]);
            assert(slot.maxLockedCredits(tier) == maxLocked[tier]);
            assert(slot.maxLocked(tier) == (maxLocked[tier] == 0 ? type(uint256).max : uint256(maxLocked[tier]) * 1e18));
        }
        assert(slot.minDisputeWindow() == minDisputeWindow);
        assert(slot.paused() == paused);
    }

    /// @dev Of parameters that are better from tier to tier, as the owner sets them: `Governance` leaves that to it.
    function check_ABetterTier_NeverPaysMore_NorHasLessRoom(
        uint16[4] calldata feeBps,
        uint24[4] calldata bondBps,
        uint24[4] calldata maxLocked
    ) external pure {
        for (uint256 tier; tier < 4; ++tier) {
            vm.assume(bondBps[tier] <= 200_000 && maxLocked[tier] < 2 ** 23);
            if (tier == 0) continue;
            vm.assume(feeBps[tier] <= feeBps[tier - 1] && bondBps[tier] <= bondBps[tier - 1]);
            vm.assume(hasRoom(maxLocked[tier], maxLocked[tier - 1]));
        }
        RatesSlot slot = RatesPacking.pack(Parameters(feeBps, bondBps, maxLocked, 0, address(0), address(0)), false);
        for (uint256 tier = 1; tier < 4; ++tier) {
            assert(slot.feeBps(tier) <= slot.feeBps(tier - 1));
            assert(slot.bondBps(tier) <= slot.bondBps(tier - 1));
            assert(hasRoom(slot.maxLockedCredits(tier), slot.maxLockedCredits(tier - 1)));
        }
    }

    /// @dev Whether a cap is no tighter than another. Zero is no cap.
    function hasRoom(uint256 cap, uint256 other) private pure returns (bool) {
        return cap == 0 || (other != 0 && cap >= other);
    }

    function check_WithPaused_WritesOneBit(uint256 word, bool paused) external pure {
        RatesSlot slot = RatesSlot.wrap(word).withPaused(paused);
        assert(slot.paused() == paused && sameBut(RatesSlot.unwrap(slot), word, mask(160, 1)));
    }
}
