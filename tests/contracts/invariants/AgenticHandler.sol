// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC8183} from "../../../contracts/interfaces/IERC8183.sol";
import {IERC8183Adapter} from "../../../contracts/interfaces/IERC8183Adapter.sol";
import {IERC8183Seat} from "../../../contracts/interfaces/IERC8183Seat.sol";
import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {JobState} from "../../../contracts/types/Job.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Test} from "../cheatcodes/Test.sol";
import {ICredit} from "../fixture/Tokens.sol";

/// @notice Every call of the ERC-8183 adapter and of its seats, by two clients, two providers and an evaluator, in any order and at any time. A call may be refused; it may not panic.
contract AgenticHandler is Test {
    uint256 private constant MOST_JOBS = 16;

    IERC8183Adapter private immutable ADAPTER;
    IJobEscrow private immutable ESCROW;
    ICredit private immutable CREDIT;
    /// 0 and 1 are clients, 2 and 3 provide, 4 evaluates, 5 is a stranger.
    address[] private people;

    error Panicked(bytes4 selector);

    constructor(IERC8183Adapter adapter, ICredit credit, address[] memory people_) {
        ADAPTER = adapter;
        ESCROW = IJobEscrow(adapter.escrow());
        CREDIT = credit;
        people = people_;
    }

    function send(address sender, address to, bytes memory data) private returns (bool sent) {
        vm.prank(sender);
        bytes memory answer;
        (sent, answer) = to.call(data);
        if (!sent && (answer.length == 0 || bytes4(answer) == bytes4(keccak256("Panic(uint256)")))) {
            revert Panicked(bytes4(data));
        }
        if (to == address(ADAPTER) || sent) requireNothingHeld();
    }

    function step(address sender, string memory signature, bytes memory arguments) private {
        send(sender, address(ADAPTER), bytes.concat(bytes4(keccak256(bytes(signature))), arguments));
    }

    /// @dev Who may, mostly; else anybody.
    function who(uint256 seed, address usual) private view returns (address) {
        return seed % 6 == 0 ? people[seed / 6 % people.length] : usual;
    }

    function pick(uint256 seed) private view returns (uint256 id, IERC8183.Job memory job) {
        id = 1 + seed % ADAPTER.jobCounter();
        job = ADAPTER.getJob(id);
    }

    // ---------------------------------------------------------------- the standard

    function createJob(uint256 seed, uint32 duration) external {
        if (ADAPTER.jobCounter() >= MOST_JOBS) return;
        address provider = seed % 4 == 0 ? address(0) : people[2 + seed % 2];
        uint256 expiredAt = block.timestamp + bound(duration, 0, 2 days);
        step(
            people[seed / 4 % 2],
            "createJob(address,address,uint256,string)",
            abi.encode(provider, people[4], expiredAt, "work")
        );
    }

    function setProvider(uint256 seed, uint256 by) external {
        if (ADAPTER.jobCounter() == 0) return;
        (uint256 id, IERC8183.Job memory job) = pick(seed);
        step(who(by, job.client), "setProvider(uint256,address)", abi.encode(id, people[2 + by % 2]));
    }

    function setBudget(uint256 seed, uint256 by, uint256 amount) external {
        if (ADAPTER.jobCounter() == 0) return;
        (uint256 id, IERC8183.Job memory job) = pick(seed);
        amount = by % 16 == 1 ? amount : bound(amount, 0, 20e18);
        step(who(by, by % 3 == 0 ? job.client : job.provider), "setBudget(uint256,uint256)", abi.encode(id, amount));
    }

    function fund(uint256 seed, uint256 by) external {
        if (ADAPTER.jobCounter() == 0) return;
        (uint256 id, IERC8183.Job memory job) = pick(seed);
        step(who(by, job.client), "fund(uint256,uint256)", abi.encode(id, by % 8 == 1 ? job.budget + 1 : job.budget));
    }

    function submit(uint256 seed, uint256 by) external {
        if (ADAPTER.jobCounter() == 0) return;
        (uint256 id, IERC8183.Job memory job) = pick(seed);
        step(who(by, job.provider), "submit(uint256,bytes32)", abi.encode(id, keccak256("work")));
    }

    function complete(uint256 seed, uint256 by) external {
        if (ADAPTER.jobCounter() == 0) return;
        (uint256 id, IERC8183.Job memory job) = pick(seed);
        step(who(by, job.evaluator), "complete(uint256,bytes32)", abi.encode(id, bytes32(0)));
    }

    function reject(uint256 seed, uint256 by) external {
        if (ADAPTER.jobCounter() == 0 || seed % 4 != 0) return; // else hardly a job gets anywhere
        (uint256 id, IERC8183.Job memory job) = pick(seed / 4);
        step(who(by, by % 3 == 0 ? job.client : job.evaluator), "reject(uint256,bytes32)", abi.encode(id, bytes32(0)));
    }

    function claimRefund(uint256 seed, uint256 by) external {
        if (ADAPTER.jobCounter() == 0) return;
        (uint256 id, IERC8183.Job memory job) = pick(seed);
        if (by % 4 == 0 && job.expiredAt > block.timestamp) vm.warp(job.expiredAt);
        step(who(by, people[5]), "claimRefund(uint256)", abi.encode(id));
    }

    // ---------------------------------------------------------------- beside it

    /// @notice Time, consent, what owners do with their seats, and what others try in the escrow.
    function beside(uint256 kind, uint256 seed, uint104 amount) external {
        kind %= 6;
        address provider = people[2 + seed % 2];
        address seat = ADAPTER.seatOf(provider);
        if (kind == 0) vm.warp(block.timestamp + bound(amount, 0, 6 hours));
        if (kind == 1) step(provider, "setStandingConsent(bool)", abi.encode(amount % 2 == 0));
        if (kind == 2) {
            uint256 most = ESCROW.accountOf(seat).free / 4;
            send(who(seed, provider), seat, abi.encodeCall(IERC8183Seat.withdraw, (uint104(bound(amount, 0, most)))));
        }
        if (kind == 3) send(provider, seat, abi.encodeCall(IERC8183Seat.addStake, (uint104(bound(amount, 0, 1e18)))));
        if (ADAPTER.jobCounter() == 0) return;
        (uint256 id, IERC8183.Job memory job) = pick(seed);
        if (job.status != IERC8183.JobStatus.Funded && job.status != IERC8183.JobStatus.Submitted) return;
        Terms memory terms = ADAPTER.termsOf(id);
        if (kind == 4) send(people[seed % 6], address(ESCROW), abi.encodeCall(IJobEscrow.dispute, (terms)));
        if (kind == 5 && amount % 32 == 0) {
            vm.warp(uint256(terms.end) + 1);
            send(people[5], address(ESCROW), abi.encodeCall(IJobEscrow.reclaim, (terms)));
        }
    }

    // ---------------------------------------------------------------- invariant 15

    /// @dev What a reclaimed job left waits in the adapter's balance until its client claims it.
    function requireNothingHeld() public view {
        uint256 locked;
        uint256 waiting;
        for (uint256 id = 1; id <= ADAPTER.jobCounter(); ++id) {
            IERC8183.Job memory job = ADAPTER.getJob(id);
            if (job.status != IERC8183.JobStatus.Funded && job.status != IERC8183.JobStatus.Submitted) continue;
            Terms memory terms = ADAPTER.termsOf(id);
            if (ESCROW.jobOf(ESCROW.jobIdOf(terms)).state == JobState.Open) locked += job.budget;
            else waiting += job.budget + (terms.bond < job.budget ? terms.bond : job.budget);
        }
        vm.assertEq(uint256(ESCROW.accountOf(address(ADAPTER)).locked), locked, "locked of the adapter");
        vm.assertEq(uint256(ESCROW.accountOf(address(ADAPTER)).free), waiting, "free of the adapter");
        vm.assertEq(CREDIT.balanceOf(address(ADAPTER)), 0, "wallet of the adapter");
        vm.assertEq(ADAPTER.voiced(), bytes32(uint256(1)), "voiced");
    }

    /// @notice A stranger sends back everything that nobody completed.
    function endEverything() external {
        for (uint256 id = 1; id <= ADAPTER.jobCounter(); ++id) {
            IERC8183.Job memory job = ADAPTER.getJob(id);
            if (job.status != IERC8183.JobStatus.Funded && job.status != IERC8183.JobStatus.Submitted) continue;
            if (block.timestamp < job.expiredAt) vm.warp(job.expiredAt);
            step(people[5], "claimRefund(uint256)", abi.encode(id));
        }
        requireNothingHeld();
        vm.assertEq(uint256(ESCROW.accountOf(address(ADAPTER)).locked), 0, "a job is stuck");
        vm.assertEq(uint256(ESCROW.accountOf(ADAPTER.seatOf(people[2])).locked), 0, "a bond is stuck");
        vm.assertEq(uint256(ESCROW.accountOf(ADAPTER.seatOf(people[3])).locked), 0, "a bond is stuck");
    }
}
