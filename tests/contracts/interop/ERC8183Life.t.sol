// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC8183} from "../../../contracts/interfaces/IERC8183.sol";
import {IERC8183Adapter} from "../../../contracts/interfaces/IERC8183Adapter.sol";
import {Job, JobState} from "../../../contracts/types/Job.sol";
import {JobId} from "../../../contracts/types/JobId.sol";
import {Parameters} from "../../../contracts/types/Parameters.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Vm} from "../cheatcodes/Vm.sol";
import {AgenticTrade} from "./AgenticTrade.sol";

/// @notice `erc8183.tree`, its first two branches and the last two: `market` is all that client, provider and evaluator know.
contract ERC8183LifeTest is AgenticTrade {
    function escrowJobOf(uint256 job) private view returns (Job memory) {
        return escrow.jobOf(escrow.jobIdOf(adapter.termsOf(job)));
    }

    // ---------------------------------------------------------------- the whole life

    function test_OpenFundSubmitComplete_PaysTheProvidersWallet() external {
        uint256 before = credit.balanceOf(client);
        vm.expectEmit(address(market));
        emit IERC8183.JobCreated(1, client, agent, evaluator, block.timestamp + 1 days);
        uint256 job = create(address(0));
        vm.assertEq(job, 1);
        vm.assertEq(market.jobCounter(), 1);
        assertStatus(job, IERC8183.JobStatus.Open);

        vm.expectEmit(address(market));
        emit IERC8183.BudgetSet(job, BUDGET);
        vm.prank(agent);
        market.setBudget(job, BUDGET, "");

        vm.expectEmit(address(market));
        emit IERC8183.JobFunded(job, client, BUDGET);
        vm.prank(client);
        market.fund(job, BUDGET, "");
        assertStatus(job, IERC8183.JobStatus.Funded);
        vm.assertEq(credit.balanceOf(client), before - BUDGET);
        vm.assertEq(uint256(escrow.accountOf(address(adapter)).locked), BUDGET);
        assertSeat(OWN - 2e18, 2e18); // a fifth of the budget, as the parameters say
        assertNothingStays();

        vm.expectEmit(address(market));
        emit IERC8183.JobSubmitted(job, agent, DELIVERABLE);
        vm.prank(agent);
        market.submit(job, DELIVERABLE, "");
        assertStatus(job, IERC8183.JobStatus.Submitted);

        uint256 net = BUDGET - BUDGET / 100;
        vm.expectEmit(address(market));
        emit IERC8183.JobCompleted(job, evaluator, REASON);
        vm.expectEmit(address(market));
        emit IERC8183.PaymentReleased(job, agent, net);
        vm.prank(evaluator);
        market.complete(job, REASON, "");
        assertStatus(job, IERC8183.JobStatus.Completed);
        vm.assertEq(credit.balanceOf(agent), net);
        assertSeat(OWN, 0);
        assertNothingStays();

        Job memory kept = escrowJobOf(job);
        vm.assertEq(uint256(kept.state), uint256(JobState.Closed));
        vm.assertEq(uint256(kept.accepted), 1);
        vm.assertGt(uint256(scores.scoreOf(address(seat), 1)), 5_000);
    }

    function test_TheProviderNamedLater_AndTheShortForms() external {
        vm.prank(client);
        uint256 job = market.createJob(address(0), client, block.timestamp + 1 hours, "");
        vm.expectEmit(address(market));
        emit IERC8183.ProviderSet(job, agent);
        vm.startPrank(client);
        market.setProvider(job, agent);
        market.setBudget(job, 5e18);
        vm.stopPrank();
        vm.prank(agent);
        market.setBudget(job, BUDGET);
        vm.prank(client);
        market.fund(job, BUDGET);
        vm.prank(agent);
        market.submit(job, DELIVERABLE);
        vm.prank(client); // its own evaluator
        market.complete(job, REASON);
        vm.assertEq(credit.balanceOf(agent), BUDGET - BUDGET / 100);

        job = openJob();
        vm.prank(client);
        market.reject(job, REASON);
        assertStatus(job, IERC8183.JobStatus.Rejected);
    }

    function test_GetJob_TellsAllOfIt() external {
        IERC8183.Job memory job = market.getJob(openJob());
        vm.assertEq(job.id, 1);
        vm.assertEq(job.client, client);
        vm.assertEq(job.provider, agent);
        vm.assertEq(job.evaluator, evaluator);
        vm.assertEq(keccak256(bytes(job.description)), keccak256("summarise"));
        vm.assertEq(job.budget, BUDGET);
        vm.assertEq(job.expiredAt, block.timestamp + 1 days);
        vm.assertEq(job.hook, address(0));
        vm.assertEq(market.paymentToken(), address(credit));
    }

    function test_RejectWhileOpen_ByTheClient() external {
        uint256 job = openJob();
        vm.expectEmit(address(market));
        emit IERC8183.JobRejected(job, client, REASON);
        vm.prank(client);
        market.reject(job, REASON, "");
        assertStatus(job, IERC8183.JobStatus.Rejected);
        assertSeat(OWN, 0);
    }

    /// @dev Any budget, funded or submitted, rejected by the evaluator or expired: the client has it back whole, and the bond is free.
    function testFuzz_WhatIsNotCompleted_ComesBackWhole(uint256 budget, bool submitted, bool expires) external {
        budget = bound(budget, 1, 200e18);
        uint256 before = credit.balanceOf(client);
        uint256 job = create(address(0));
        vm.prank(agent);
        market.setBudget(job, budget, "");
        vm.prank(client);
        market.fund(job, budget, "");
        if (submitted) {
            vm.prank(agent);
            market.submit(job, DELIVERABLE, "");
        }
        if (expires) vm.warp(market.getJob(job).expiredAt);
        vm.expectEmit(address(market));
        if (expires) emit IERC8183.JobExpired(job);
        else emit IERC8183.JobRejected(job, evaluator, REASON);
        vm.expectEmit(address(market));
        emit IERC8183.Refunded(job, client, budget);
        vm.prank(expires ? relayer : evaluator);
        if (expires) market.claimRefund(job);
        else market.reject(job, REASON, "");
        assertStatus(job, expires ? IERC8183.JobStatus.Expired : IERC8183.JobStatus.Rejected);
        vm.assertEq(credit.balanceOf(client), before);
        assertSeat(OWN, 0);
        assertNothingStays();
    }

    function testFuzz_WhatIsCompleted_IsPaidButForTheFee(uint256 budget, uint16 feeBps) external {
        budget = bound(budget, 1, 200e18);
        setFee(uint16(bound(feeBps, 0, 500)));
        uint256 job = create(address(0));
        vm.prank(agent);
        market.setBudget(job, budget, "");
        vm.prank(client);
        market.fund(job, budget, "");
        vm.prank(agent);
        market.submit(job, DELIVERABLE, "");
        vm.prank(evaluator);
        market.complete(job, REASON, "");
        vm.assertEq(credit.balanceOf(agent) + escrow.fees(), budget);
        vm.assertEq(uint256(escrow.fees()), budget * escrowJobOf(job).feeBps / 10_000);
        assertSeat(OWN, 0);
        assertNothingStays();
    }

    function setFee(uint16 feeBps) private {
        govern(address(escrow), abi.encodeCall(escrow.setParameters, (parametersWithFee(feeBps))));
    }

    function parametersWithFee(uint16 feeBps) private view returns (Parameters memory p) {
        p = defaultParameters();
        p.feeBps[0] = feeBps;
    }

    /// @dev With less free than the bond, the seat's stake stands behind it, and comes back.
    function test_ABondFromTheStake_ComesBackToIt() external {
        vm.prank(agent);
        seat.withdraw(OWN);
        uint256 job = submittedJob();
        vm.assertEq(uint256(registry.providerOf(address(seat)).reserved), 2e18);
        vm.prank(evaluator);
        market.complete(job, REASON, "");
        vm.assertEq(uint256(registry.providerOf(address(seat)).reserved), 0);
        vm.assertEq(credit.balanceOf(agent), OWN + BUDGET - BUDGET / 100);
        assertSeat(0, 0);
        assertNothingStays();
    }

    // ---------------------------------------------------------------- a year

    function test_AJobThatNobodyEndedForAYear_IsReclaimed_AndTheClientHasTheBondToo() external {
        uint256 before = credit.balanceOf(client);
        uint256 job = submittedJob();
        Terms memory t = adapter.termsOf(job);
        vm.warp(uint256(t.end) + 1);
        reclaim(t);
        vm.expectEmit(address(market));
        emit IERC8183.Refunded(job, client, BUDGET + t.bond);
        market.claimRefund(job);
        vm.assertEq(credit.balanceOf(client), before + t.bond);
        assertSeat(OWN - t.bond, 0);
        assertNothingStays();
    }

    // ---------------------------------------------------------------- what the standard refuses

    function test_CreateJob_RevertWhen_ItNamesNoEvaluator_OrNoFuture() external {
        vm.expectRevert(IERC8183.ZeroAddress.selector);
        market.createJob(agent, address(0), block.timestamp + 1, "");
        vm.expectRevert(IERC8183.ExpiryTooShort.selector);
        market.createJob(agent, evaluator, block.timestamp, "");
        uint256 limit = block.timestamp + 365 days;
        vm.expectRevert(abi.encodeWithSelector(IERC8183Adapter.ExpiryTooLate.selector, limit + 1, limit));
        market.createJob(agent, evaluator, limit + 1, "");
        vm.expectRevert(abi.encodeWithSelector(IERC8183Adapter.HookIsNoContract.selector, relayer));
        market.createJob(agent, evaluator, limit, "", relayer);
    }

    function test_SetProvider_RevertWhen_ItMayNot() external {
        vm.prank(client);
        uint256 job = market.createJob(address(0), evaluator, block.timestamp + 1 hours, "");
        expectRevert(IERC8183.Unauthorized.selector, agent);
        market.setProvider(job, agent);
        expectRevert(IERC8183.ZeroAddress.selector, client);
        market.setProvider(job, address(0));
        vm.prank(client);
        market.setProvider(job, agent);
        expectRevert(IERC8183.WrongStatus.selector, client);
        market.setProvider(job, relayer);
        job = fundedJob();
        expectRevert(IERC8183.WrongStatus.selector, client);
        market.setProvider(job, relayer);
    }

    function test_SetBudget_RevertWhen_ItMayNot() external {
        uint256 job = openJob();
        expectRevert(IERC8183.Unauthorized.selector, evaluator);
        market.setBudget(job, 1);
        uint256 most = type(uint104).max;
        vm.expectRevert(abi.encodeWithSelector(IERC8183Adapter.BudgetTooLarge.selector, most + 1, most));
        vm.prank(agent);
        market.setBudget(job, most + 1);
        job = fundedJob();
        expectRevert(IERC8183.WrongStatus.selector, agent);
        market.setBudget(job, 1);
    }

    function test_Fund_RevertWhen_ItMayNot() external {
        uint256 job = create(address(0));
        expectRevert(IERC8183.ZeroBudget.selector, client);
        market.fund(job, 0);
        job = openJob();
        expectRevert(IERC8183.Unauthorized.selector, agent);
        market.fund(job, BUDGET);
        expectRevert(IERC8183.BudgetMismatch.selector, client);
        market.fund(job, BUDGET - 1);
        vm.warp(block.timestamp + 1 days);
        expectRevert(IERC8183.WrongStatus.selector, client);
        market.fund(job, BUDGET);

        vm.prank(client);
        job = market.createJob(address(0), evaluator, block.timestamp + 1 hours, "");
        vm.prank(client);
        market.setBudget(job, BUDGET);
        expectRevert(IERC8183.ProviderNotSet.selector, client);
        market.fund(job, BUDGET);
    }

    function test_Submit_RevertWhen_ItMayNot() external {
        uint256 job = openJob();
        expectRevert(IERC8183.WrongStatus.selector, agent);
        market.submit(job, DELIVERABLE);
        job = fundedJob();
        expectRevert(IERC8183.Unauthorized.selector, client);
        market.submit(job, DELIVERABLE);
    }

    function test_Complete_RevertWhen_ItMayNot() external {
        uint256 job = fundedJob();
        expectRevert(IERC8183.WrongStatus.selector, evaluator);
        market.complete(job, REASON);
        job = submittedJob();
        expectRevert(IERC8183.Unauthorized.selector, client);
        market.complete(job, REASON);
        vm.prank(evaluator);
        market.complete(job, REASON);
        expectRevert(IERC8183.WrongStatus.selector, evaluator);
        market.complete(job, REASON);
        expectRevert(IERC8183.WrongStatus.selector, evaluator);
        market.reject(job, REASON);
        vm.warp(block.timestamp + 2 days);
        expectRevert(IERC8183.WrongStatus.selector, relayer);
        market.claimRefund(job);
    }

    function test_Reject_RevertWhen_ItMayNot() external {
        uint256 job = openJob();
        expectRevert(IERC8183.Unauthorized.selector, evaluator);
        market.reject(job, REASON);
        job = submittedJob();
        expectRevert(IERC8183.Unauthorized.selector, client);
        market.reject(job, REASON);
        expectRevert(IERC8183.Unauthorized.selector, agent);
        market.reject(job, REASON);
    }

    function test_ClaimRefund_RevertWhen_ItMayNot() external {
        uint256 job = openJob();
        uint256 funded = submittedJob();
        vm.warp(market.getJob(funded).expiredAt - 1);
        expectRevert(IERC8183.WrongStatus.selector, client);
        market.claimRefund(funded);
        vm.warp(block.timestamp + 1);
        expectRevert(IERC8183.WrongStatus.selector, client);
        market.claimRefund(job);
        vm.prank(relayer);
        market.claimRefund(funded);
        expectRevert(IERC8183.WrongStatus.selector, client);
        market.claimRefund(funded);
    }

    function test_RevertWhen_ThereIsNoSuchJob() external {
        vm.expectRevert(IERC8183.InvalidJob.selector);
        market.getJob(7);
        vm.expectRevert(IERC8183.InvalidJob.selector);
        market.claimRefund(7);
        uint256 job = openJob();
        vm.expectRevert(IERC8183.WrongStatus.selector);
        adapter.termsOf(job);
    }

    function test_AfterExpiry_TheEvaluatorMayStillComplete_UntilSomebodyClaims() external {
        uint256 job = submittedJob();
        vm.warp(market.getJob(job).expiredAt + 1);
        vm.prank(evaluator);
        market.complete(job, REASON);
        assertStatus(job, IERC8183.JobStatus.Completed);
    }

    function test_TheLink_NamesTheEscrowsJob() external {
        uint256 job = openJob();
        vm.recordLogs();
        vm.prank(client);
        market.fund(job, BUDGET);
        JobId id = escrow.jobIdOf(adapter.termsOf(job));
        bool linked;
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].topics[0] != IERC8183Adapter.JobLinked.selector) continue;
            linked = logs[i].topics[2] == JobId.unwrap(id) && uint256(logs[i].topics[1]) == job;
        }
        vm.assertTrue(linked);
    }
}
