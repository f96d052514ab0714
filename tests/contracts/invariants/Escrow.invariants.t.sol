// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IProviderRegistry} from "../../../contracts/interfaces/IProviderRegistry.sol";
import {Deployment} from "../fixture/Deployment.sol";
import {EscrowHandler} from "./EscrowHandler.sol";

/// @notice README.md beside this file has the invariants in mathematics.
contract EscrowInvariantsTest is Deployment {
    EscrowHandler private handler;
    address[] private people;

    function setUp() public override {
        super.setUp();
        string[8] memory names =
            ["buyer 0", "buyer 1", "sponsor", "provider 0", "provider 1", "verifier", "arbiter", "relayer"];
        uint256[] memory keys = new uint256[](names.length);
        for (uint256 i; i < names.length; ++i) {
            address account = actor(names[i]);
            people.push(account);
            keys[i] = keyOf[account];
            if (i == 3 || i == 4) enlist(account);
            fund(account, 1_000e18);
            reserve.mint(account, 1_000e6);
            vm.startPrank(account);
            credit.approve(address(escrow), type(uint256).max);
            if (i != 1) reserve.approve(address(escrow), type(uint256).max);
            vm.stopPrank();
        }
        handler = new EscrowHandler(escrow, credit, people, keys);
        for (uint256 i; i < 4; ++i) {
            handler.deposit(i, i, 500e18);
        }
        // The second provider has a stake to put behind its bonds, and next to nothing else.
        handler.deposit(4, 4, 1e18);
        vm.startPrank(people[4]);
        credit.approve(address(registry), 100e18);
        registry.addStake(100e18);
        vm.stopPrank();

        bytes4[] memory selectors = new bytes4[](15);
        selectors[0] = EscrowHandler.keepHouse.selector;
        selectors[1] = EscrowHandler.wait.selector;
        selectors[2] = EscrowHandler.trade.selector;
        selectors[3] = EscrowHandler.openLate.selector;
        selectors[4] = EscrowHandler.cancel.selector;
        selectors[5] = EscrowHandler.attest.selector;
        selectors[6] = EscrowHandler.propose.selector;
        selectors[7] = EscrowHandler.dispute.selector;
        selectors[8] = EscrowHandler.rule.selector;
        selectors[9] = EscrowHandler.agree.selector;
        selectors[10] = EscrowHandler.finalize.selector;
        selectors[11] = EscrowHandler.reclaim.selector;
        selectors[12] = EscrowHandler.openMany.selector;
        selectors[13] = EscrowHandler.openFromReserve.selector;
        selectors[14] = EscrowHandler.attestMany.selector;
        targetSelector(FuzzSelector(address(handler), selectors));
        targetContract(address(handler));
    }

    /// @dev Invariants 1 to 6, 8 and 14. The handler asks after each call about what the call touched, and reverts; this asks about everything.
    function invariant_WhatIsHeldIsOwed_EventsRebuildIt_ClosedAbsorbs_StakesStandBehindBonds() external view {
        handler.requireAll();
        requireStakesStandBehindLiveJobs();
    }

    /// @dev Invariant 7.
    function afterInvariant() external {
        handler.endEverything();
        handler.requireAll();
        requireStakesStandBehindLiveJobs();
    }

    /// @dev Invariant 14.
    function requireStakesStandBehindLiveJobs() private view {
        uint256 reserved;
        uint256 held;
        for (uint256 i = 3; i < 5; ++i) {
            IProviderRegistry.Provider memory known = registry.providerOf(people[i]);
            vm.assertLe(uint256(known.reserved), known.stake, "reserved beyond the stake");
            vm.assertLe(uint256(known.reserved), escrow.accountOf(people[i]).locked, "reserved without a bond");
            IProviderRegistry.Reward memory reward = registry.rewardOf(people[i]);
            vm.assertLe(uint256(reward.vested) + reward.unvested, known.stake, "reward beyond the stake");
            reserved += known.reserved;
            held += known.stake - known.reserved;
        }
        vm.assertEq(handler.stakedBehindJobs(), reserved, "stake behind live jobs");
        vm.assertEq(credit.balanceOf(address(registry)), held, "credits of the registry");
    }
}
