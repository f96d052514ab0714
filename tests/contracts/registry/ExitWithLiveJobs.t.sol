// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IProviderRegistry} from "../../../contracts/interfaces/IProviderRegistry.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Trade} from "../fixture/Trade.sol";

/// @notice `ProviderRegistry.tree`, exit: the stake outlasts every challenge period.
contract ExitWithLiveJobsTest is Trade {
    function askToLeave() private {
        vm.prank(provider);
        registry.requestExit();
    }

    function expectStay(uint104 locked) private {
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.JobsStillLive.selector, locked));
        vm.prank(provider);
        registry.exit();
    }

    function assertLeaves() private {
        uint256 before = credit.balanceOf(provider);
        vm.prank(provider);
        registry.exit();
        vm.assertEq(credit.balanceOf(provider), before + PROVIDER_STAKE);
    }

    /// @dev Windows as long as terms may have them: far longer than any unbonding.
    function test_AJobInDispute_KeepsTheStakeThroughTheLongestWindows() external {
        Terms memory t = usualTerms();
        t.end = uint40(block.timestamp + 366 days);
        t.disputeWindow = 30 days;
        t.rulingWindow = 30 days;
        open(t);
        askToLeave();
        vm.warp(t.end);
        expectStay(t.bond);
        propose(t, t.maxUnits);
        vm.warp(block.timestamp + 30 days);
        disputeAs(buyer, t);
        vm.warp(block.timestamp + 30 days);
        expectStay(t.bond);
        vm.warp(block.timestamp + 1);
        finalize(t);
        assertLeaves();
    }

    function testFuzz_WhileAJobLives_NobodyLeaves(uint32 life, uint32 disputeWindow) external {
        Terms memory t = usualTerms();
        t.end = uint40(bound(life, t.openBy + 1, block.timestamp + 366 days));
        t.disputeWindow = uint32(bound(disputeWindow, 1 hours, 30 days));
        open(t);
        askToLeave();
        uint256 due = block.timestamp + PROVIDER_UNBONDING + 1;
        vm.warp(t.end);
        propose(t, t.maxUnits);
        if (block.timestamp < due) vm.warp(due);
        expectStay(t.bond);
        uint256 over = uint256(escrow.jobOf(escrow.jobIdOf(t)).deadline) + 1;
        if (block.timestamp < over) vm.warp(over);
        expectStay(t.bond);
        finalize(t);
        assertLeaves();
    }

    function test_WithoutJobs_UnbondingIsEnough() external {
        askToLeave();
        vm.warp(block.timestamp + PROVIDER_UNBONDING + 1);
        assertLeaves();
    }
}
