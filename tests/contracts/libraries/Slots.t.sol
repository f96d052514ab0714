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

/// @notice One word a job, one an account, one for the rates: what goes in comes out, and lies where SPEC.md says.
contract SlotsTest is Trade {
    /// @dev A fuzzer knows no bounds of enums, so they are folded into theirs.
    struct Word {
        uint8 state;
        uint8 outcome;
        uint8 closedBy;
        uint16 feeBps;
        uint64 accepted;
        uint64 pending;
        uint40 deadline;
        uint16 qualityBps;
        uint40 openedIn;
        bool verifierPaid;
        bool failed;
    }

    function testFuzz_Job_ComesOutAsItWentIn(Word memory word) external pure {
        Job memory job = Job({
            state: JobState(bound(word.state, 0, 4)),
            outcome: Outcome(bound(word.outcome, 0, 3)),
            feeBps: word.feeBps,
            accepted: word.accepted,
            pending: word.pending,
            deadline: word.deadline,
            qualityBps: word.qualityBps,
            openedIn: word.openedIn,
            closedBy: ClosedBy(bound(word.closedBy, 0, 6)),
            verifierPaid: word.verifierPaid,
            failed: word.failed
        });
        Job memory back = JobPacking.pack(job).unpack();
        vm.assertEq(keccak256(abi.encode(back)), keccak256(abi.encode(job)));
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
        uint16[4] memory bondBps,
        uint32 window,
        bool paused
    ) external pure {
        Parameters memory p;
        p.feeBps = feeBps;
        p.bondBps = bondBps;
        p.minDisputeWindow = window;
        RatesSlot slot = RatesPacking.pack(p, paused);
        for (uint256 tier; tier < 4; ++tier) {
            vm.assertEq(uint256(slot.feeBps(tier)), feeBps[tier]);
            vm.assertEq(uint256(slot.bondBps(tier)), bondBps[tier]);
        }
        vm.assertEq(uint256(slot.minDisputeWindow()), window);
        vm.assertEq(slot.paused(), paused);
        vm.assertEq(RatesSlot.unwrap(slot.withPaused(!paused).withPaused(paused)), RatesSlot.unwrap(slot));
    }

    /// @dev Storage slots of the escrow, as `forge inspect` prints them and SPEC.md lists them.
    uint256 private constant ACCOUNTS_SLOT = 1;
    uint256 private constant JOBS_SLOT = 7;

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
