// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IProviderRegistry} from "../interfaces/IProviderRegistry.sol";

/// @notice How a provider's reward vests, and is lost. SPEC.md, section 12; `domain/reward.py` is the same in Python.
library Vesting {
    /// @notice The reward with all that has vested by `time` in `vested`: of the rest ⌊unvested · (time − since) / (end − since)⌋, and from `end` on all.
    function vestedBy(IProviderRegistry.Reward memory reward, uint256 time)
        internal
        pure
        returns (IProviderRegistry.Reward memory)
    {
        if (time <= reward.since) return reward;
        uint104 vesting = reward.unvested;
        if (time < reward.end) {
            vesting = uint104(uint256(reward.unvested) * (time - reward.since) / (reward.end - reward.since));
        }
        reward.vested += vesting;
        reward.unvested -= vesting;
        reward.since = uint40(time);
        return reward;
    }

    /// @notice The reward after a slash of `lost`: what has not vested goes first, then what has; what is lost beyond the reward is the stake's.
    function less(IProviderRegistry.Reward memory reward, uint104 lost)
        internal
        pure
        returns (IProviderRegistry.Reward memory)
    {
        uint104 unvested = lost < reward.unvested ? lost : reward.unvested;
        lost -= unvested;
        reward.unvested -= unvested;
        reward.vested -= lost < reward.vested ? lost : reward.vested;
        return reward;
    }
}
