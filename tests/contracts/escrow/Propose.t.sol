// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {ClosedBy, JobState, Outcome} from "../../../contracts/types/Job.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Books} from "../fixture/Books.sol";

/// @notice `propose_finalize_reclaim.tree`, propose: the provider never depends on a verifier.
contract ProposeTest is Books {
    bytes32 private constant RESULT = keccak256("delivered");

    function expectRefused(Terms memory t, uint64 units, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(provider);
        escrow.propose(t, units, RESULT);
    }

    function test_Propose_StartsTheDisputeWindow() external {
        Terms memory t = usualTerms();
        open(t);
        watch();

        vm.expectEmit(address(escrow));
        emit IJobEscrow.JobProposed(escrow.jobIdOf(t), 600, RESULT, uint40(START + t.disputeWindow));
        vm.prank(provider);
        escrow.propose(t, 600, RESULT);

        assertNoMoneyMoved();
        assertPending(t, Outcome.Claim, 600, t.disputeWindow);
    }

    function test_Propose_AfterNoFault_RestartsTheWindow() external {
        Terms memory t = usualTerms();
        open(t);
        noFault(t);
        vm.warp(START + 1 hours);
        propose(t, 600);
        assertPending(t, Outcome.Claim, 600, t.disputeWindow);
    }

    function test_Propose_ClaimsTheLeastUnitsAtLeast() external {
        Terms memory t = usualTerms();
        open(t);
        propose(t, 1);
        assertPending(t, Outcome.Claim, t.minUnits, t.disputeWindow);
    }

    function test_Propose_ExcusesItselfWithWhatWasAccepted() external {
        Terms memory t = usualTerms();
        open(t);
        reading(t, 5);
        propose(t, 5);
        assertJob(t, JobState.Pending, Outcome.Claim, 5, 5, START + t.disputeWindow);
    }

    function test_Propose_AtTheLastSecond_OfAllUnits() external {
        Terms memory t = usualTerms();
        open(t);
        vm.warp(t.end);
        propose(t, t.maxUnits);
        assertPending(t, Outcome.Claim, t.maxUnits, t.disputeWindow);
    }

    function test_RevertWhen_TheCallerIsNotTheProvider() external {
        Terms memory t = usualTerms();
        open(t);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.CallerNotProvider.selector, buyer, provider));
        vm.prank(buyer);
        escrow.propose(t, 600, RESULT);
    }

    function test_RevertWhen_AClaimIsPending() external {
        Terms memory t = usualTerms();
        open(t);
        propose(t, 600);
        expectRefused(t, 700, abi.encodeWithSelector(IJobEscrow.WrongState.selector, JobState.Pending, Outcome.Claim));
    }

    function test_RevertWhen_AFailIsPending() external {
        Terms memory t = usualTerms();
        open(t);
        fail(t);
        expectRefused(t, 700, abi.encodeWithSelector(IJobEscrow.WrongState.selector, JobState.Pending, Outcome.Fail));
    }

    function test_RevertWhen_APassIsPending() external {
        Terms memory t = slowTerms();
        openPending(t);
        expectRefused(t, 700, abi.encodeWithSelector(IJobEscrow.WrongState.selector, JobState.Pending, Outcome.Pass));
    }

    function test_RevertWhen_TheJobIsDisputed() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        expectRefused(t, 700, abi.encodeWithSelector(IJobEscrow.WrongState.selector, JobState.Disputed, Outcome.Claim));
    }

    function test_RevertWhen_TheEndHasPassed() external {
        Terms memory t = usualTerms();
        open(t);
        vm.warp(uint256(t.end) + 1);
        expectRefused(t, 600, abi.encodeWithSelector(IJobEscrow.TooLate.selector, uint256(t.end) + 1, t.end));
    }

    function test_RevertWhen_TheWindowOfNoFaultHasPassed() external {
        Terms memory t = usualTerms();
        open(t);
        noFault(t);
        passDeadline(t);
        uint256 deadline = START + t.disputeWindow;
        expectRefused(t, 600, abi.encodeWithSelector(IJobEscrow.TooLate.selector, deadline + 1, deadline));
    }

    function test_RevertWhen_TheUnitsExceedTheMost() external {
        Terms memory t = usualTerms();
        open(t);
        expectRefused(
            t,
            t.maxUnits + 1,
            abi.encodeWithSelector(IJobEscrow.UnitsOutOfRange.selector, t.maxUnits + 1, 0, t.maxUnits)
        );
    }

    function test_RevertWhen_TheUnitsAreUnderWhatWasAccepted() external {
        Terms memory t = usualTerms();
        open(t);
        reading(t, 100);
        expectRefused(t, 99, abi.encodeWithSelector(IJobEscrow.UnitsOutOfRange.selector, 99, 100, t.maxUnits));
    }
}
