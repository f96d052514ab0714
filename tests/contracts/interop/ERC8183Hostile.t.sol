// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

import {IACPHook, IERC8183} from "../../../contracts/interfaces/IERC8183.sol";
import {IERC8183Adapter} from "../../../contracts/interfaces/IERC8183Adapter.sol";
import {IERC8183Seat} from "../../../contracts/interfaces/IERC8183Seat.sol";
import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {IStandings} from "../../../contracts/interfaces/IStandings.sol";
import {Attestation, Verdict} from "../../../contracts/types/Attestation.sol";
import {Settlement} from "../../../contracts/types/Settlement.sol";
import {Signatures} from "../../../contracts/types/Signatures.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {AgenticTrade} from "./AgenticTrade.sol";

/// @notice A hook that writes down what it is told, or turns against the job.
contract RecordingHook is IACPHook {
    enum Mood {
        Quiet,
        Reverts,
        Burns,
        CallsBack
    }

    bytes32 public told;
    uint256 public calls;
    Mood public mood;

    function turn(Mood mood_) external {
        mood = mood_;
    }

    function beforeAction(uint256 jobId, bytes4 selector, bytes calldata data) external {
        listen("before", jobId, selector, data);
    }

    function afterAction(uint256 jobId, bytes4 selector, bytes calldata data) external {
        listen("after", jobId, selector, data);
    }

    function listen(bytes32 when, uint256 jobId, bytes4 selector, bytes calldata data) private {
        if (mood == Mood.Reverts) revert("no");
        while (mood == Mood.Burns) ++calls;
        if (mood == Mood.CallsBack) IERC8183(msg.sender).claimRefund(jobId);
        ++calls;
        told = keccak256(abi.encode(told, when, jobId, selector, data));
    }
}

/// @notice `erc8183.tree`: consent, the seat, hooks.
contract ERC8183HostileTest is AgenticTrade {
    // ---------------------------------------------------------------- consent

    function test_Fund_RevertWhen_TheProviderHasNotAgreed() external {
        uint256 job = create(address(0));
        vm.prank(client);
        market.setBudget(job, BUDGET);
        bytes memory reason = abi.encodeWithSelector(IERC8183Adapter.ProviderHasNotAgreed.selector, agent, BUDGET);
        vm.expectRevert(reason);
        vm.prank(client);
        market.fund(job, BUDGET);

        vm.expectEmit(address(adapter));
        emit IERC8183Adapter.StandingConsentChanged(agent, true);
        vm.prank(agent);
        adapter.setStandingConsent(true);
        vm.prank(client);
        market.fund(job, BUDGET);
        assertStatus(job, IERC8183.JobStatus.Funded);
    }

    function test_Fund_RevertWhen_TheClientChangedWhatTheProviderAsked() external {
        uint256 job = openJob();
        vm.prank(client);
        market.setBudget(job, BUDGET);
        vm.prank(client);
        market.setBudget(job, 1);
        vm.expectRevert(abi.encodeWithSelector(IERC8183Adapter.ProviderHasNotAgreed.selector, agent, 1));
        vm.prank(client);
        market.fund(job, 1);

        job = openJob();
        vm.prank(client);
        market.setBudget(job, BUDGET);
        vm.prank(client);
        market.fund(job, BUDGET);
    }

    function test_Fund_RevertWhen_TheProviderHasNoSeat_OrOneThatIsNotListed() external {
        vm.prank(client);
        uint256 job = market.createJob(relayer, evaluator, block.timestamp + 1 hours, "");
        vm.prank(relayer);
        market.setBudget(job, BUDGET);
        vm.expectRevert(abi.encodeWithSelector(IERC8183Adapter.NoSeat.selector, relayer));
        vm.prank(client);
        market.fund(job, BUDGET);

        vm.prank(relayer);
        address empty = adapter.takeSeat();
        uint256 before = credit.balanceOf(client);
        vm.expectRevert(abi.encodeWithSelector(IStandings.ProviderNotActive.selector, empty));
        vm.prank(client);
        market.fund(job, BUDGET);
        vm.assertEq(credit.balanceOf(client), before);
        assertStatus(job, IERC8183.JobStatus.Open);
    }

    // ---------------------------------------------------------------- the seat

    function test_TheSeat_ObeysItsOwnerAndTheAdapterAlone() external {
        bytes memory notOwner = abi.encodeWithSelector(IERC8183Seat.CallerNotOwner.selector, client, agent);
        vm.startPrank(client);
        vm.expectRevert(notOwner);
        seat.enter(1);
        vm.expectRevert(notOwner);
        seat.addStake(1);
        vm.expectRevert(notOwner);
        seat.withdraw(1);
        vm.expectRevert(notOwner);
        seat.requestExit();
        vm.expectRevert(notOwner);
        seat.exit();
        vm.stopPrank();

        bytes memory notAdapter =
            abi.encodeWithSelector(IERC8183Seat.CallerNotAdapter.selector, agent, address(adapter));
        Terms memory t;
        Attestation memory a;
        vm.startPrank(agent);
        vm.expectRevert(notAdapter);
        seat.take(agent);
        vm.expectRevert(notAdapter);
        seat.settle(t, a, 1);
        vm.expectRevert(abi.encodeWithSelector(IERC8183Adapter.SeatKnown.selector, agent, address(seat)));
        adapter.takeSeat();
        vm.stopPrank();
        vm.assertEq(seat.owner(), agent);
        vm.assertEq(seat.adapter(), address(adapter));
        vm.assertEq(adapter.seatOf(agent), address(seat));
    }

    function test_TheSeat_WithdrawsWhatIsFree_AndNoBond() external {
        fundedJob();
        vm.prank(agent);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.InsufficientFree.selector, seat, OWN - 2e18, OWN));
        seat.withdraw(OWN);
        vm.prank(agent);
        seat.withdraw(OWN - 2e18);
        vm.assertEq(credit.balanceOf(agent), OWN - 2e18);
    }

    function test_TheSeat_AddsToItsStake_AndLeavesWithAll() external {
        fund(agent, 1e18);
        vm.startPrank(agent);
        credit.approve(address(seat), 1e18);
        seat.addStake(1e18);
        seat.requestExit();
        vm.warp(block.timestamp + PROVIDER_UNBONDING + 1);
        seat.exit();
        vm.stopPrank();
        vm.assertEq(credit.balanceOf(agent), PROVIDER_STAKE + 1e18);
        assertNothingStays();
    }

    /// @dev The escrow asks seat and adapter for signatures; between the adapter's calls there are none.
    function test_NobodyEndsAJob_PastItsEvaluator() external {
        uint256 job = submittedJob();
        Terms memory t = adapter.termsOf(job);
        vm.prank(agent);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.CallerNotProvider.selector, agent, address(seat)));
        escrow.propose(t, 1, 0);
        vm.prank(client);
        vm.expectRevert();
        escrow.dispute(t);

        Attestation memory a = statement(t, Verdict.Pass, 1, true);
        vm.prank(agent);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.NotAuthorised.selector, address(adapter)));
        escrow.attest(t, a, "");
        Settlement memory s = settlement(t, 1);
        vm.prank(agent);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.NotAuthorised.selector, address(adapter)));
        escrow.agree(t, s, Signatures("", "", ""));
    }

    /// @dev Terms that name the adapter as payer, though it never funded them.
    function test_NobodySpendsOfTheAdapter() external {
        fundedJob();
        Terms memory t = usualTerms();
        t.payer = address(adapter);
        Signatures memory given;
        given.buyer = sign(buyer, keccak256("x"));
        vm.prank(buyer);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.NotAuthorised.selector, address(adapter)));
        escrow.openFromWallet(t, given);
    }

    // ---------------------------------------------------------------- hooks

    function heard(bytes32 told, uint256 job, bytes4 selector, bytes memory data) private pure returns (bytes32) {
        told = keccak256(abi.encode(told, bytes32("before"), job, selector, data));
        return keccak256(abi.encode(told, bytes32("after"), job, selector, data));
    }

    function test_AHook_IsToldOfEachStep_WithTheStandardsData() external {
        RecordingHook hook = new RecordingHook();
        vm.prank(client);
        uint256 job = market.createJob(address(0), evaluator, block.timestamp + 1 days, "", address(hook));
        vm.assertEq(hook.calls(), 0);
        vm.prank(client);
        market.setProvider(job, agent, "a");
        bytes32 told =
            heard(0, job, bytes4(keccak256("setProvider(uint256,address,bytes)")), abi.encode(agent, bytes("a")));
        vm.assertEq(hook.told(), told);
        vm.prank(agent);
        market.setBudget(job, BUDGET, "b");
        told = heard(told, job, bytes4(keccak256("setBudget(uint256,uint256,bytes)")), abi.encode(BUDGET, bytes("b")));
        vm.assertEq(hook.told(), told);
        vm.prank(client);
        market.fund(job, BUDGET, "c");
        told = heard(told, job, bytes4(keccak256("fund(uint256,uint256,bytes)")), "c");
        vm.assertEq(hook.told(), told);
        vm.prank(agent);
        market.submit(job, DELIVERABLE, "d");
        told = heard(told, job, bytes4(keccak256("submit(uint256,bytes32,bytes)")), abi.encode(DELIVERABLE, bytes("d")));
        vm.assertEq(hook.told(), told);
        uint256 snapshot = vm.snapshotState();
        vm.prank(evaluator);
        market.reject(job, REASON, "e");
        vm.assertEq(
            hook.told(),
            heard(told, job, bytes4(keccak256("reject(uint256,bytes32,bytes)")), abi.encode(REASON, bytes("e")))
        );
        vm.revertToState(snapshot);
        vm.prank(evaluator);
        market.complete(job, REASON, "e");
        vm.assertEq(
            hook.told(),
            heard(told, job, bytes4(keccak256("complete(uint256,bytes32,bytes)")), abi.encode(REASON, bytes("e")))
        );
    }

    function hooked(RecordingHook.Mood mood) private returns (uint256 job) {
        RecordingHook hook = new RecordingHook();
        job = create(address(hook));
        vm.prank(agent);
        market.setBudget(job, BUDGET);
        vm.prank(client);
        market.fund(job, BUDGET);
        vm.prank(agent);
        market.submit(job, DELIVERABLE);
        hook.turn(mood);
    }

    function assertOnlyTheRefundIsLeft(uint256 job) private {
        uint256 before = credit.balanceOf(client);
        vm.prank(evaluator);
        (bool done,) = address(market).call(abi.encodeWithSignature("complete(uint256,bytes32)", job, REASON));
        vm.assertFalse(done);
        vm.warp(market.getJob(job).expiredAt);
        vm.prank(relayer);
        market.claimRefund(job);
        vm.assertEq(credit.balanceOf(client), before + BUDGET);
        assertNothingStays();
    }

    function test_AHookThatReverts_StopsNoRefund() external {
        assertOnlyTheRefundIsLeft(hooked(RecordingHook.Mood.Reverts));
    }

    function test_AHookThatBurnsItsGas_StopsNoRefund() external {
        assertOnlyTheRefundIsLeft(hooked(RecordingHook.Mood.Burns));
    }

    function test_AHookThatCallsBack_IsRefused() external {
        uint256 job = hooked(RecordingHook.Mood.CallsBack);
        vm.warp(market.getJob(job).expiredAt);
        vm.expectRevert(ReentrancyGuard.ReentrancyGuardReentrantCall.selector);
        vm.prank(evaluator);
        market.complete(job, REASON);
        assertStatus(job, IERC8183.JobStatus.Submitted);
    }
}
