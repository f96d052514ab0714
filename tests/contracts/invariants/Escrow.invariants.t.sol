// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IProviderRegistry} from "../../../contracts/interfaces/IProviderRegistry.sol";
import {Account} from "../../../contracts/types/Account.sol";
import {Job, JobState} from "../../../contracts/types/Job.sol";
import {JobId} from "../../../contracts/types/JobId.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Deployment} from "../fixture/Deployment.sol";
import {EscrowHandler} from "./EscrowHandler.sol";
import {EventLedger} from "./EventLedger.sol";

/// @notice README.md beside this file has the invariants in mathematics.
contract EscrowInvariantsTest is Deployment {
    EscrowHandler private handler;
    EventLedger private ledger;
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
        ledger = handler.LEDGER();
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

    /// @dev Invariants 1 and 2.
    function invariant_TokensHeldAreOwed_AndWhatIsLockedIsWhatIsOpen() external view {
        uint256[] memory open = new uint256[](people.length);
        for (uint256 i; i < handler.tradeCount(); ++i) {
            JobState state = escrow.jobOf(handler.idAt(i)).state;
            if (state == JobState.None || state == JobState.Closed) continue;
            Terms memory t = handler.tradeAt(i);
            for (uint256 j; j < people.length; ++j) {
                if (t.payer == people[j]) open[j] += uint256(t.unitPrice) * t.maxUnits + t.verifierFee + t.arbiterFee;
                if (t.provider == people[j]) open[j] += t.bond;
            }
        }
        uint256 owed = escrow.fees();
        for (uint256 i; i < people.length; ++i) {
            Account memory account = escrow.accountOf(people[i]);
            owed += uint256(account.free) + account.locked;
            vm.assertEq(uint256(account.locked), open[i], "locked");
        }
        vm.assertEq(credit.balanceOf(address(escrow)), owed + handler.donated(), "tokens held");
    }

    /// @dev Invariant 14.
    function invariant_WhatIsReservedOfAStakeStandsBehindLiveJobs() external view {
        uint256 staked;
        for (uint256 i; i < handler.tradeCount(); ++i) {
            staked += escrow.stakedOf(handler.idAt(i));
        }
        uint256 reserved;
        uint256 held;
        for (uint256 i = 3; i < 5; ++i) {
            IProviderRegistry.Provider memory known = registry.providerOf(people[i]);
            vm.assertLe(uint256(known.reserved), known.stake, "reserved beyond the stake");
            vm.assertLe(uint256(known.reserved), escrow.accountOf(people[i]).locked, "reserved without a bond");
            reserved += known.reserved;
            held += known.stake - known.reserved;
        }
        vm.assertEq(staked, reserved, "stake behind live jobs");
        vm.assertEq(credit.balanceOf(address(registry)), held, "credits of the registry");
    }

    /// @dev Invariants 3 and 4: the ledger reverts inside the handler when an event cannot follow or legs do not add up.
    function invariant_EventsAloneRebuildEverything() external view {
        for (uint256 i; i < people.length; ++i) {
            Account memory account = escrow.accountOf(people[i]);
            vm.assertEq(ledger.free(people[i]), int256(uint256(account.free)), "free");
            vm.assertEq(ledger.locked(people[i]), int256(uint256(account.locked)), "locked");
        }
        vm.assertEq(ledger.fees(), int256(uint256(escrow.fees())), "fees");
        for (uint256 i; i < handler.tradeCount(); ++i) {
            JobId id = handler.idAt(i);
            Job memory job = escrow.jobOf(id);
            EventLedger.Row memory row = ledger.rowOf(JobId.unwrap(id));
            vm.assertEq(uint256(row.state), uint256(job.state), "state");
            vm.assertEq(uint256(row.outcome), uint256(job.outcome), "outcome");
            vm.assertEq(uint256(row.accepted), uint256(job.accepted), "accepted");
            vm.assertEq(uint256(row.pending), uint256(job.pending), "pending");
            vm.assertEq(uint256(row.deadline), uint256(job.deadline), "deadline");
        }
    }

    /// @dev Invariants 5, 6 and 8.
    function invariant_UnitsRise_ClosedAbsorbs_NothingPanics() external view {
        vm.assertEq(handler.brokenUnits(), 0, "units fell or passed their maximum");
        vm.assertEq(handler.changedAfterClosing(), 0, "a closed job changed");
        vm.assertEq(handler.panics(), 0, "a call panicked");
    }

    /// @dev Invariant 7.
    function afterInvariant() external {
        handler.endEverything();
        for (uint256 i; i < handler.tradeCount(); ++i) {
            JobState state = escrow.jobOf(handler.idAt(i)).state;
            vm.assertTrue(state == JobState.Closed || state == JobState.None, "a job is stuck");
        }
        for (uint256 i; i < people.length; ++i) {
            Account memory account = escrow.accountOf(people[i]);
            vm.assertEq(uint256(account.free) + account.locked, 0, "money is stuck");
        }
        vm.assertEq(credit.balanceOf(address(escrow)), handler.donated(), "tokens are stuck");
    }
}
