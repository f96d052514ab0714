// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {IProviderRegistry} from "../../../contracts/interfaces/IProviderRegistry.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Trade} from "../fixture/Trade.sol";

/// @notice `rewards.tree`. The provider has 100 credits free, of which it stakes what it earned.
contract RewardsTest is Trade {
    uint104 private constant EARNED = 6e18;

    function stakeReward(uint104 amount) private {
        vm.prank(provider);
        escrow.stakeReward(amount);
    }

    function claim() private returns (uint104) {
        vm.prank(provider);
        return registry.claimReward();
    }

    function later(uint256 seconds_) private {
        vm.warp(block.timestamp + seconds_);
    }

    function assertReward(uint256 vested, uint256 unvested) private view {
        IProviderRegistry.Reward memory reward = registry.rewardOf(provider);
        vm.assertEq(uint256(reward.vested), vested, "vested");
        vm.assertEq(uint256(reward.unvested), unvested, "unvested");
    }

    function assertStake(uint256 whole, uint256 reserved) private view {
        IProviderRegistry.Provider memory known = registry.providerOf(provider);
        vm.assertEq(uint256(known.stake), whole, "stake");
        vm.assertEq(uint256(known.reserved), reserved, "reserved");
        vm.assertEq(credit.balanceOf(address(registry)), whole - reserved, "credits of the registry");
    }

    function freeOf(address account) private view returns (uint256) {
        return escrow.accountOf(account).free;
    }

    /// @dev The provider keeps nothing free, so that every bond comes out of its stake.
    function emptyBalance() private {
        uint104 free = escrow.accountOf(provider).free;
        vm.prank(provider);
        escrow.withdraw(provider, free);
    }

    function backed(uint104 bond) private returns (Terms memory t) {
        emptyBalance();
        t = usualTerms();
        t.bond = bond;
        t.openBy = uint40(block.timestamp + 1 hours);
        t.end = uint40(block.timestamp + 1 days);
        open(t);
    }

    // ---------------------------------------------------------------- stakeReward

    function test_StakeReward_MovesFreeBalanceIntoTheStake_WhereItVests() external {
        uint40 end = uint40(block.timestamp + PROVIDER_UNBONDING);
        vm.expectEmit(address(escrow));
        emit IJobEscrow.Withdrawn(provider, address(registry), EARNED);
        vm.expectEmit(address(registry));
        emit IProviderRegistry.StakeAdded(provider, EARNED, PROVIDER_STAKE + EARNED);
        vm.expectEmit(address(registry));
        emit IProviderRegistry.RewardStaked(provider, EARNED, end);
        stakeReward(EARNED);

        vm.assertEq(freeOf(provider), ENDOWMENT - EARNED);
        assertStake(PROVIDER_STAKE + EARNED, 0);
        assertReward(0, EARNED);
        vm.assertEq(uint256(registry.rewardOf(provider).end), end);
    }

    function test_StakeReward_Again_MakesWhatHasNotVestedWait_AndLeavesWhatHas() external {
        stakeReward(EARNED);
        later(PROVIDER_UNBONDING / 2);
        stakeReward(EARNED);
        assertReward(EARNED / 2, EARNED + EARNED / 2);
        later(PROVIDER_UNBONDING / 2);
        assertReward(EARNED / 2 + (EARNED + EARNED / 2) / 2, (EARNED + EARNED / 2) / 2);
        later(PROVIDER_UNBONDING / 2);
        assertReward(2 * EARNED, 0);
    }

    function test_StakeReward_ListsTheProviderAgain() external {
        emptyBalance();
        Terms memory t = usualTerms();
        open(t);
        fail(t);
        passDeadline(t);
        finalize(t);
        vm.assertFalse(registry.isActive(provider));
        endow(provider, t.bond);
        stakeReward(t.bond);
        vm.assertTrue(registry.isActive(provider));
    }

    function test_StakeReward_RevertWhen_LessIsFree() external {
        vm.expectRevert(
            abi.encodeWithSelector(IJobEscrow.InsufficientFree.selector, provider, ENDOWMENT, ENDOWMENT + 1)
        );
        vm.prank(provider);
        escrow.stakeReward(ENDOWMENT + 1);
    }

    function test_StakeReward_RevertWhen_TheCallerIsNotIn() external {
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.NotRegistered.selector, buyer));
        vm.prank(buyer);
        escrow.stakeReward(1);
        vm.assertEq(freeOf(buyer), ENDOWMENT);
        vm.assertEq(credit.balanceOf(address(registry)), PROVIDER_STAKE);
    }

    function test_StakeReward_RevertWhen_Leaving() external {
        vm.prank(provider);
        registry.requestExit();
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.AlreadyLeaving.selector, block.timestamp));
        vm.prank(provider);
        escrow.stakeReward(1);
    }

    function test_RegistrysStakeReward_RevertWhen_TheCallerIsNotTheEscrow() external {
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.CallerNotEscrow.selector, provider, address(escrow)));
        vm.prank(provider);
        registry.stakeReward(provider, 1);
    }

    // ---------------------------------------------------------------- claimReward

    function test_ClaimReward_PaysWhatHasVested_AndNoMore() external {
        stakeReward(EARNED);
        later(PROVIDER_UNBONDING / 4);
        uint256 before = credit.balanceOf(provider);
        vm.expectEmit(address(registry));
        emit IProviderRegistry.RewardClaimed(provider, EARNED / 4, PROVIDER_STAKE + EARNED - EARNED / 4);
        vm.assertEq(uint256(claim()), EARNED / 4);
        vm.assertEq(uint256(claim()), 0);
        vm.assertEq(credit.balanceOf(provider), before + EARNED / 4);
        later(PROVIDER_UNBONDING);
        vm.assertEq(uint256(claim()), EARNED - EARNED / 4);
        assertStake(PROVIDER_STAKE, 0);
        assertReward(0, 0);
        later(PROVIDER_UNBONDING);
        vm.assertEq(uint256(claim()), 0);
        vm.assertTrue(registry.isActive(provider));
    }

    function test_ClaimReward_LeavesWhatStandsBehindOpenJobs_UntilTheyClose() external {
        stakeReward(EARNED);
        Terms memory t = backed(PROVIDER_STAKE + 2e18);
        vm.warp(registry.rewardOf(provider).end);
        vm.assertEq(uint256(claim()), EARNED - 2e18);
        vm.assertEq(uint256(claim()), 0);
        assertStake(PROVIDER_STAKE + 2e18, PROVIDER_STAKE + 2e18);

        agree(t, 0);
        vm.assertEq(uint256(claim()), 2e18);
        assertStake(PROVIDER_STAKE, 0);
    }

    function test_ClaimReward_RevertWhen_TheCallerIsNotIn() external {
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.NotRegistered.selector, buyer));
        vm.prank(buyer);
        registry.claimReward();
    }

    function test_ClaimReward_BelowTheLeastStake_TakesTheProviderOffTheList() external {
        stakeReward(EARNED);
        later(PROVIDER_UNBONDING);
        vm.prank(address(timelock));
        registry.setRules(IProviderRegistry.Rules(PROVIDER_STAKE + 1, PROVIDER_UNBONDING, true));
        vm.expectEmit(address(registry));
        emit IProviderRegistry.ListingChanged(provider, false);
        claim();
        vm.assertFalse(registry.isActive(provider));
    }

    // ---------------------------------------------------------------- a job

    function test_ABond_IsDrawnFromTheRewardToo() external {
        stakeReward(EARNED);
        Terms memory t = backed(PROVIDER_STAKE + EARNED);
        assertStake(PROVIDER_STAKE + EARNED, PROVIDER_STAKE + EARNED);
        vm.assertEq(uint256(escrow.stakedOf(escrow.jobIdOf(t))), PROVIDER_STAKE + EARNED);
    }

    /// @dev A ruling takes any share of a bond that all of stake and reward stand behind, at any time.
    function testFuzz_ASlash_TakesWhatHasNotVestedFirst_ThenWhatHas_LastTheStake(uint16 slashBps, uint32 waited)
        external
    {
        stakeReward(EARNED);
        later(bound(waited, 0, PROVIDER_UNBONDING - 12 hours));
        Terms memory t = backed(PROVIDER_STAKE + EARNED);
        propose(t, 600);
        disputeAs(t.buyer, t);
        IProviderRegistry.Reward memory before = registry.rewardOf(provider);
        slashBps = uint16(bound(slashBps, 0, 10_000));
        rule(t, ruling(t, 0, slashBps, 0));

        uint256 lost = uint256(t.bond) * slashBps / 10_000;
        assertStake(PROVIDER_STAKE + EARNED - lost, 0);
        uint256 ofUnvested = lost < before.unvested ? lost : before.unvested;
        uint256 ofVested = lost - ofUnvested < before.vested ? lost - ofUnvested : before.vested;
        assertReward(before.vested - ofVested, before.unvested - ofUnvested);
    }

    // ---------------------------------------------------------------- exit

    function test_Exit_PaysTheRewardWithTheStake() external {
        stakeReward(EARNED);
        vm.prank(provider);
        registry.requestExit();
        later(PROVIDER_UNBONDING + 1);
        uint256 before = credit.balanceOf(provider);
        vm.prank(provider);
        registry.exit();
        vm.assertEq(credit.balanceOf(provider), before + PROVIDER_STAKE + EARNED);
        assertStake(0, 0);
        assertReward(0, 0);

        enlist(provider);
        vm.assertEq(uint256(claim()), 0);
        assertStake(PROVIDER_STAKE, 0);
    }
}
