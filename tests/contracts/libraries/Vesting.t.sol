// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IProviderRegistry} from "../../../contracts/interfaces/IProviderRegistry.sol";
import {Vesting} from "../../../contracts/libraries/Vesting.sol";
import {Test} from "../cheatcodes/Test.sol";

/// @notice `vesting.tree`: what the last branch of `rewards.tree` in `registry` stands on.
contract VestingTest is Test {
    using Vesting for IProviderRegistry.Reward;

    function reward(uint104 vested, uint104 unvested, uint40 since, uint40 end)
        private
        pure
        returns (IProviderRegistry.Reward memory)
    {
        return IProviderRegistry.Reward(vested, unvested, since, end);
    }

    function sum(IProviderRegistry.Reward memory r) private pure returns (uint256) {
        return uint256(r.vested) + r.unvested;
    }

    /// @dev Time alone makes and takes nothing, and looking often changes no more than the last atoms.
    function testFuzz_Vesting_KeepsTheSum_AndIsDoneAtTheEnd(
        uint104 vested,
        uint104 unvested,
        uint40 since,
        uint32 period,
        uint40 first,
        uint40 second
    ) external pure {
        vested = uint104(bound(vested, 0, type(uint104).max / 2));
        unvested = uint104(bound(unvested, 0, type(uint104).max / 2));
        since = uint40(bound(since, 0, type(uint40).max / 4));
        uint40 end = since + period;
        first = uint40(bound(first, since, uint256(since) + period));
        second = uint40(bound(second, first, uint256(since) + period));
        uint256 whole = uint256(vested) + unvested;

        IProviderRegistry.Reward memory once = reward(vested, unvested, since, end).vestedBy(second);
        IProviderRegistry.Reward memory twice = reward(vested, unvested, since, end).vestedBy(first).vestedBy(second);
        vm.assertEq(sum(once), whole);
        vm.assertEq(sum(twice), whole);
        vm.assertLe(twice.vested, uint256(once.vested) + 1);
        vm.assertLe(once.vested, uint256(twice.vested) + 2);
        vm.assertEq(uint256(reward(vested, unvested, since, end).vestedBy(uint256(end) + 1).unvested), 0);
    }

    function testFuzz_ASlash_TakesWhatThereIs_UnvestedFirst(uint104 vested, uint104 unvested, uint104 lost)
        external
        pure
    {
        vested = uint104(bound(vested, 0, type(uint104).max / 2));
        unvested = uint104(bound(unvested, 0, type(uint104).max / 2));
        IProviderRegistry.Reward memory left = reward(vested, unvested, 1, 2).less(lost);
        uint256 whole = uint256(vested) + unvested;
        vm.assertEq(sum(left), lost < whole ? whole - lost : 0);
        if (lost <= unvested) vm.assertEq(uint256(left.vested), vested);
        else vm.assertEq(uint256(left.unvested), 0);
    }

    function test_BeforeTimeMoves_NothingVests() external pure {
        IProviderRegistry.Reward memory same = reward(1, 9, 100, 200).vestedBy(100);
        vm.assertEq(uint256(same.vested), 1);
        vm.assertEq(uint256(reward(1, 9, 100, 100).vestedBy(100).unvested), 9);
        vm.assertEq(uint256(reward(1, 9, 100, 100).vestedBy(101).unvested), 0);
    }
}
