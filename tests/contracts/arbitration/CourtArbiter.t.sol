// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ICourtArbiter} from "../../../contracts/interfaces/ICourtArbiter.sol";
import {Job, JobState} from "../../../contracts/types/Job.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Trade} from "../fixture/Trade.sol";
import {OutsideCourt} from "./OutsideCourt.sol";

/// @notice Brings a dispute, and again while its surplus comes back.
contract GreedyRequester {
    ICourtArbiter private immutable ADAPTER;
    bytes private again;
    bool public tookTwice;

    constructor(ICourtArbiter adapter) {
        ADAPTER = adapter;
    }

    function bring(bytes calldata call_) external payable {
        again = call_;
        (bool sent,) = address(ADAPTER).call{value: msg.value}(call_);
        require(sent, "not brought");
    }

    receive() external payable {
        (tookTwice,) = address(ADAPTER).call{value: msg.value}(again);
    }
}

/// @notice `Arbitration.tree`: CourtArbiter.
contract CourtArbiterTest is Trade {
    uint256 private constant COST = 1e15;

    OutsideCourt private court;
    ICourtArbiter private adapter;
    Terms private t;

    function setUp() public override {
        super.setUp();
        court = new OutsideCourt();
        adapter = ICourtArbiter(
            create("CourtArbiter", abi.encode(escrow, court, bytes("jury"), "ipfs://how-the-court-judges"))
        );
        t = usualTerms();
        t.arbiter = address(adapter);
        vm.deal(relayer, 1 ether);
    }

    function bring() private returns (uint256 id) {
        openDisputed(t);
        vm.prank(relayer);
        return adapter.createDispute{value: COST}(t);
    }

    function ruled(uint256 ruling) private returns (Job memory) {
        uint256 id = bring();
        court.giveRuling(adapter, id, ruling);
        adapter.executeRuling(id, t);
        return escrow.jobOf(escrow.jobIdOf(t));
    }

    function test_TheCourt_ForTheProvider() external {
        Job memory job = ruled(1);
        vm.assertEq(uint256(job.accepted), 600);
        vm.assertFalse(job.failed);
        vm.assertEq(credit.balanceOf(relayer), t.arbiterFee);
    }

    function test_TheCourt_ForTheBuyer() external {
        Job memory job = ruled(2);
        vm.assertEq(uint256(job.accepted), 0);
        vm.assertTrue(job.failed);
        vm.assertEq(uint256(escrow.accountOf(provider).free), ENDOWMENT - t.bond);
        vm.assertEq(credit.balanceOf(relayer), t.arbiterFee);
    }

    function test_TheCourt_ForNeither() external {
        Job memory job = ruled(3);
        vm.assertEq(uint256(job.accepted), 0);
        vm.assertFalse(job.failed);
        vm.assertEq(uint256(escrow.accountOf(provider).free), ENDOWMENT - t.arbiterFee / 2);
    }

    function test_ACourtThatRefuses_LeavesTheDefault() external {
        uint256 id = bring();
        court.giveRuling(adapter, id, 0);
        vm.expectRevert(abi.encodeWithSelector(ICourtArbiter.NothingToExecute.selector, id));
        adapter.executeRuling(id, t);
        passDeadline(t);
        finalize(t);
        vm.assertEq(uint256(escrow.jobOf(escrow.jobIdOf(t)).state), uint256(JobState.Closed));
    }

    function test_WhatIsNoChoice_IsARefusal() external {
        uint256 id = bring();
        court.giveRuling(adapter, id, 258); // 2 in its low byte
        vm.assertEq(uint256(adapter.caseOf(id).ruling), 0);
    }

    function test_ClaimUnits_IsTheProviders_BeforeTheRuling() external {
        uint256 id = bring();
        vm.expectRevert(abi.encodeWithSelector(ICourtArbiter.CallerNotProvider.selector, address(this), provider));
        adapter.claimUnits(id, t, 700);
        vm.startPrank(provider);
        vm.expectRevert(abi.encodeWithSelector(ICourtArbiter.UnitsOutOfRange.selector, t.maxUnits + 1, t.maxUnits));
        adapter.claimUnits(id, t, t.maxUnits + 1);
        adapter.claimUnits(id, t, 700);
        vm.stopPrank();
        court.giveRuling(adapter, id, 1);
        vm.expectRevert(abi.encodeWithSelector(ICourtArbiter.AlreadyRuled.selector, id));
        vm.prank(provider);
        adapter.claimUnits(id, t, 800);
        adapter.executeRuling(id, t);
        vm.assertEq(uint256(escrow.jobOf(escrow.jobIdOf(t)).accepted), 700);
    }

    function test_CreateDispute_GivesTheSurplusBack() external {
        openDisputed(t);
        vm.prank(relayer);
        adapter.createDispute{value: 3 * COST}(t);
        vm.assertEq(relayer.balance, 1 ether - COST);
        vm.assertEq(address(adapter).balance, 0);
        vm.assertEq(address(court).balance, COST);
    }

    function test_ARequesterThatComesBack_WhileItsSurplusIsPaid_BringsNothingTwice() external {
        openDisputed(t);
        GreedyRequester greedy = new GreedyRequester(adapter);
        vm.prank(relayer);
        greedy.bring{value: 3 * COST}(abi.encodeCall(ICourtArbiter.createDispute, (t)));
        vm.assertFalse(greedy.tookTwice());
        vm.assertEq(address(court).balance, COST);
        vm.assertEq(address(greedy).balance, 2 * COST);
        vm.assertEq(address(adapter).balance, 0);
    }

    function test_CreateDispute_RevertWhen_TooLittleIsPaid_OrTheSurplusIsNotTaken() external {
        openDisputed(t);
        vm.expectRevert(abi.encodeWithSelector(ICourtArbiter.CostNotPaid.selector, COST - 1, COST));
        adapter.createDispute{value: COST - 1}(t);
        vm.expectRevert(abi.encodeWithSelector(ICourtArbiter.SurplusNotTaken.selector, address(this), 1));
        adapter.createDispute{value: COST + 1}(t); // this test takes no coin
    }

    function test_CreateDispute_RevertWhen_NotDisputed_OrOfAnotherArbiter_OrBroughtBefore() external {
        bytes4 reason = ICourtArbiter.NotDisputed.selector;
        Terms memory other = usualTerms();
        openDisputed(other);
        vm.expectRevert(abi.encodeWithSelector(reason, escrow.jobIdOf(other)));
        adapter.createDispute{value: COST}(other);
        vm.expectRevert(abi.encodeWithSelector(reason, escrow.jobIdOf(t)));
        adapter.createDispute{value: COST}(t);
        bring();
        vm.expectRevert(abi.encodeWithSelector(reason, escrow.jobIdOf(t)));
        adapter.createDispute{value: COST}(t);
    }

    function test_Rule_RevertWhen_NotByTheCourt_OrUnknown_OrTwice() external {
        uint256 id = bring();
        vm.expectRevert(abi.encodeWithSelector(ICourtArbiter.CallerNotCourt.selector, address(this), address(court)));
        adapter.rule(id, 1);
        vm.expectRevert(abi.encodeWithSelector(ICourtArbiter.NoSuchDispute.selector, id + 1));
        court.giveRuling(adapter, id + 1, 1);
        court.giveRuling(adapter, id, 1);
        vm.expectRevert(abi.encodeWithSelector(ICourtArbiter.AlreadyRuled.selector, id));
        court.giveRuling(adapter, id, 2);
    }

    function test_ExecuteRuling_RevertWhen_NotRuled_OrTwice_OrOfOtherTerms() external {
        uint256 id = bring();
        vm.expectRevert(abi.encodeWithSelector(ICourtArbiter.NoSuchDispute.selector, id + 1));
        adapter.executeRuling(id + 1, t);
        vm.expectRevert(abi.encodeWithSelector(ICourtArbiter.NothingToExecute.selector, id));
        adapter.executeRuling(id, t);
        court.giveRuling(adapter, id, 1);
        Terms memory other = usualTerms();
        vm.expectRevert(abi.encodeWithSelector(ICourtArbiter.NotDisputed.selector, escrow.jobIdOf(t)));
        adapter.executeRuling(id, other);
        adapter.executeRuling(id, t);
        vm.expectRevert(abi.encodeWithSelector(ICourtArbiter.NothingToExecute.selector, id));
        adapter.executeRuling(id, t);
    }

    function test_SubmitEvidence_IsForThoseOfTheJob() external {
        t.payer = sponsor;
        uint256 id = bring();
        address[4] memory parties = [buyer, sponsor, provider, verifier];
        for (uint256 i; i < parties.length; ++i) {
            vm.expectEmit(address(adapter));
            emit ICourtArbiter.Evidence(address(court), id, parties[i], "ipfs://log");
            vm.prank(parties[i]);
            adapter.submitEvidence(id, t, "ipfs://log");
        }
        vm.expectRevert(abi.encodeWithSelector(ICourtArbiter.CallerNotParty.selector, address(this)));
        adapter.submitEvidence(id, t, "ipfs://log");
    }

    function createWith(address escrow_, address court_) external {
        create("CourtArbiter", abi.encode(escrow_, court_, bytes(""), ""));
    }

    function test_Constructor_RevertWhen_AnAddressIsZero() external {
        vm.expectRevert(ICourtArbiter.ZeroAddress.selector);
        this.createWith(address(0), address(court));
        vm.expectRevert(ICourtArbiter.ZeroAddress.selector);
        this.createWith(address(escrow), address(0));
    }
}
