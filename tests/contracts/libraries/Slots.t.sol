// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccountPacking, AccountSlot} from "../../../contracts/libraries/AccountSlot.sol";
import {JobPacking, JobSlot} from "../../../contracts/libraries/JobSlot.sol";
import {RatesPacking, RatesSlot} from "../../../contracts/libraries/RatesSlot.sol";
import {Account} from "../../../contracts/types/Account.sol";
import {ClosedBy, Job, JobState, Outcome} from "../../../contracts/types/Job.sol";
import {JobId} from "../../../contracts/types/JobId.sol";
import {Parameters} from "../../../contracts/types/Parameters.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Trade} from "../fixture/Trade.sol";

/// @notice Movements as calls, so that a test can expect one to revert.
contract Mover {
    function plusFree(AccountSlot slot, uint104 amount) external pure returns (AccountSlot) {
        return slot.plusFree(amount);
    }

    function minusFree(AccountSlot slot, uint104 amount) external pure returns (AccountSlot) {
        return slot.minusFree(amount);
    }

    function plusLocked(AccountSlot slot, uint104 amount) external pure returns (AccountSlot) {
        return slot.plusLocked(amount);
    }

    function minusLocked(AccountSlot slot, uint104 amount) external pure returns (AccountSlot) {
        return slot.minusLocked(amount);
    }
}

/// @notice `slots.tree`. One word a job, one an account, one for the rates: what goes in comes out, and lies where SPEC.md says.
contract SlotsTest is Trade {
    /// @dev Any word that a job can have, but for the enums' bounds, which are folded into theirs.
    function jobOf(uint256 word) private pure returns (JobSlot) {
        uint256 state = bound(word & 7, 0, 4);
        uint256 closedBy = bound((word >> 245) & 7, 0, 6);
        return JobSlot.wrap((word & ~(uint256(7) | uint256(7) << 245 | uint256(31) << 251)) | state | closedBy << 245);
    }

    function assertSameBut(JobSlot slot, JobSlot before, uint256 changed) private pure {
        vm.assertEq((JobSlot.unwrap(slot) ^ JobSlot.unwrap(before)) & ~changed, uint256(0), "other fields stay");
    }

    function testFuzz_Job_Waits_AndNothingElseChanges(uint256 word, uint64 units, uint40 end, uint8 outcome)
        external
        pure
    {
        JobSlot before = jobOf(word);
        JobSlot slot = before.waiting(Outcome(outcome % 4), units, end);
        vm.assertEq(uint256(slot.state()), uint256(JobState.Pending));
        vm.assertEq(uint256(slot.outcome()), outcome % 4);
        vm.assertEq(uint256(slot.pending()), units);
        vm.assertEq(uint256(slot.deadline()), end);
        assertSameBut(slot, before, uint256(31) | uint256(type(uint64).max) << 85 | uint256(type(uint40).max) << 149);
    }

    function testFuzz_Job_IsDisputed_AndNothingElseChanges(uint256 word, uint40 end) external pure {
        JobSlot before = jobOf(word);
        JobSlot slot = before.disputed(end);
        vm.assertEq(uint256(slot.state()), uint256(JobState.Disputed));
        vm.assertEq(uint256(slot.deadline()), end);
        assertSameBut(slot, before, uint256(7) | uint256(type(uint40).max) << 149);
    }

    function testFuzz_Job_AcceptsAndIsRated_AndNothingElseChanges(uint256 word, uint64 units, uint16 share)
        external
        pure
    {
        JobSlot before = jobOf(word);
        JobSlot slot = before.withAccepted(units).withQuality(share);
        vm.assertEq(uint256(slot.accepted()), units);
        vm.assertEq(uint256(slot.qualityBps()), share);
        assertSameBut(slot, before, uint256(type(uint64).max) << 21 | uint256(type(uint16).max) << 189);
    }

    function testFuzz_Job_Closes_AndKeepsFeeOutcomeQualityAndItsBlock(
        uint256 word,
        uint64 units,
        uint8 cause,
        bool verifierPaid,
        bool failed
    ) external pure {
        // A job that lives has not closed yet.
        JobSlot before = JobSlot.wrap(JobSlot.unwrap(jobOf(word)) & ~(uint256(31) << 245));
        JobSlot slot = before.closed(units, ClosedBy(cause % 7), verifierPaid, failed);
        Job memory job = slot.unpack();
        vm.assertEq(uint256(job.state), uint256(JobState.Closed));
        vm.assertEq(uint256(job.accepted), units);
        vm.assertEq(uint256(job.pending), uint256(0));
        vm.assertEq(uint256(job.deadline), uint256(0));
        vm.assertEq(uint256(job.closedBy), cause % 7);
        vm.assertEq(job.verifierPaid, verifierPaid);
        vm.assertEq(job.failed, failed);
        Job memory was = before.unpack();
        vm.assertEq(uint256(job.feeBps), was.feeBps);
        vm.assertEq(uint256(job.outcome), uint256(was.outcome));
        vm.assertEq(uint256(job.qualityBps), was.qualityBps);
        vm.assertEq(uint256(job.openedIn), was.openedIn);
    }

    function testFuzz_Job_Opens(uint16 fee, uint40 end, uint40 blockNumber) external pure {
        Job memory job = JobPacking.opened(fee, end, blockNumber, false).unpack();
        vm.assertEq(uint256(job.state), uint256(JobState.Open));
        vm.assertEq(uint256(job.feeBps), fee);
        vm.assertEq(uint256(job.deadline), end);
        vm.assertEq(uint256(job.openedIn), blockNumber);
        vm.assertEq(uint256(job.qualityBps), uint256(10_000));
        vm.assertEq(uint256(job.accepted) + job.pending + uint256(job.outcome) + uint256(job.closedBy), uint256(0));
    }

    function testFuzz_Account_Movements_AreCheckedAndKeepToTheirField(
        uint104 free,
        uint104 locked,
        uint48 minNonce,
        uint104 amount
    ) external {
        Account memory account = Account(free, locked, true, uint48(bound(minNonce, 0, 2 ** 47 - 1)));
        AccountSlot slot = AccountPacking.pack(account);
        Mover mover = new Mover();
        if (amount > free) vm.expectRevert();
        AccountSlot moved = mover.minusFree(slot, amount);
        if (amount <= free) {
            account.free = free - amount;
            vm.assertEq(keccak256(abi.encode(moved.unpack())), keccak256(abi.encode(account)));
            account.free = free;
        }
        if (amount > type(uint104).max - free) vm.expectRevert();
        moved = mover.plusFree(slot, amount);
        if (amount <= type(uint104).max - free) {
            account.free = free + amount;
            vm.assertEq(keccak256(abi.encode(moved.unpack())), keccak256(abi.encode(account)));
            account.free = free;
        }
        if (amount > locked) vm.expectRevert();
        moved = mover.minusLocked(slot, amount);
        if (amount <= locked) {
            account.locked = locked - amount;
            vm.assertEq(keccak256(abi.encode(moved.unpack())), keccak256(abi.encode(account)));
            account.locked = locked;
        }
        if (amount > type(uint104).max - locked) vm.expectRevert();
        moved = mover.plusLocked(slot, amount);
        if (amount <= type(uint104).max - locked) {
            account.locked = locked + amount;
            vm.assertEq(keccak256(abi.encode(moved.unpack())), keccak256(abi.encode(account)));
        }
    }

    function testFuzz_Account_ComesOutAsItWentIn(uint104 free, uint104 locked, bool optedIn, uint48 minNonce)
        external
        pure
    {
        Account memory account = Account(free, locked, optedIn, uint48(bound(minNonce, 0, 2 ** 47 - 1)));
        Account memory back = AccountPacking.pack(account).unpack();
        vm.assertEq(keccak256(abi.encode(back)), keccak256(abi.encode(account)));
    }

    function testFuzz_Rates_ComeOutAsTheyWentIn(
        uint16[4] memory feeBps,
        uint24[4] memory bondBps,
        uint24[4] memory maxLocked,
        uint32 window,
        bool paused
    ) external pure {
        Parameters memory p;
        p.feeBps = feeBps;
        p.minDisputeWindow = window = uint32(bound(window, 0, 7 days));
        for (uint256 tier; tier < 4; ++tier) {
            p.maxLocked[tier] = maxLocked[tier] >> 1; // 23 bits
            p.bondBps[tier] = bondBps[tier] >> 6; // 18 bits
        }
        RatesSlot slot = RatesPacking.pack(p, paused);
        for (uint256 tier; tier < 4; ++tier) {
            vm.assertEq(uint256(slot.feeBps(tier)), feeBps[tier]);
            vm.assertEq(uint256(slot.bondBps(tier)), p.bondBps[tier]);
            uint256 cap = p.maxLocked[tier];
            vm.assertEq(uint256(slot.maxLockedCredits(tier)), cap);
            vm.assertEq(slot.maxLocked(tier), cap == 0 ? type(uint256).max : cap * 1e18);
        }
        vm.assertEq(uint256(slot.minDisputeWindow()), window);
        vm.assertEq(slot.paused(), paused);
        vm.assertEq(RatesSlot.unwrap(slot.withPaused(!paused).withPaused(paused)), RatesSlot.unwrap(slot));
    }

    /// @dev Storage slots of the escrow, as `forge inspect` prints them and SPEC.md lists them.
    uint256 private constant ACCOUNTS_SLOT = 1;
    uint256 private constant JOBS_SLOT = 9;

    function test_AJobsWord_LiesAsTheSpecificationDrawsIt() external {
        Terms memory t = slowTerms();
        JobId id = open(t);
        pass(t, 600);

        bytes32 word = vm.load(address(escrow), keccak256(abi.encode(id, JOBS_SLOT)));

        uint256 drawn = uint256(JobState.Pending);
        drawn |= uint256(Outcome.Pass) << 3;
        drawn |= uint256(100) << 5;
        drawn |= uint256(600) << 85;
        drawn |= (block.timestamp + t.passWindow) << 149;
        drawn |= uint256(10_000) << 189;
        drawn |= block.number << 205;
        vm.assertEq(uint256(word), drawn);
    }

    function test_AClosedJobsWord_TellsHowItClosed() external {
        Terms memory t = usualTerms();
        JobId id = openDisputed(t);
        rule(t, ruling(t, 0, 5_000, 0));

        uint256 word = uint256(vm.load(address(escrow), keccak256(abi.encode(id, JOBS_SLOT))));

        uint256 drawn = uint256(ClosedBy.Ruled);
        drawn |= uint256(1) << 4; // failed; a claim, so that no verifier was paid
        vm.assertEq(word >> 245, drawn);
        vm.assertEq((word >> 205) & type(uint40).max, block.number);
    }

    function test_AnAccountsWord_LiesAsTheSpecificationDrawsIt() external {
        Terms memory t = usualTerms();
        t.nonce = 42;
        vm.startPrank(buyer);
        escrow.setSpendingConsent(true);
        escrow.cancelBelow(42);
        vm.stopPrank();
        open(t);

        bytes32 word = vm.load(address(escrow), keccak256(abi.encode(buyer, ACCOUNTS_SLOT)));

        uint256 drawn = ENDOWMENT - escrowOf(t);
        drawn |= uint256(escrowOf(t)) << 104;
        drawn |= uint256(1) << 208;
        drawn |= uint256(42) << 209;
        vm.assertEq(uint256(word), drawn);
    }
}
