// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {Attestation, Verdict} from "../../../contracts/types/Attestation.sol";
import {JobState, Outcome} from "../../../contracts/types/Job.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Books} from "../fixture/Books.sol";

/// @notice `attest.tree`, fail and no fault: each starts a window, and moves no money.
contract AttestFailTest is Books {
    function expectWrongState(Terms memory t, Verdict verdict, JobState state, Outcome outcome) private {
        Attestation memory a = statement(t, verdict, 0, true);
        bytes memory signature = sign(verifier, escrow.attestationDigest(a));
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.WrongState.selector, state, outcome));
        escrow.attest(t, a, signature);
    }

    // ---------------------------------------------------------------- fail

    function test_Fail_StartsTheDisputeWindow() external {
        Terms memory t = usualTerms();
        open(t);
        watch();

        fail(t);

        assertNoMoneyMoved();
        assertPending(t, Outcome.Fail, 0, t.disputeWindow);
        vm.assertEq(uint256(attestedEvent().verdict), uint256(Verdict.Fail));
    }

    function test_Fail_DisplacesAClaim_AndRestartsTheWindow() external {
        Terms memory t = usualTerms();
        open(t);
        propose(t, 500);
        vm.warp(START + 1 hours);
        fail(t);
        assertPending(t, Outcome.Fail, 0, t.disputeWindow);
    }

    function test_Fail_DisplacesNoFault_AndRestartsTheWindow() external {
        Terms memory t = usualTerms();
        open(t);
        noFault(t);
        vm.warp(START + 1 hours);
        fail(t);
        assertPending(t, Outcome.Fail, 0, t.disputeWindow);
    }

    function test_Fail_KeepsWhatWasAccepted() external {
        Terms memory t = usualTerms();
        open(t);
        reading(t, 100);
        fail(t);
        assertJob(t, JobState.Pending, Outcome.Fail, 100, 0, START + t.disputeWindow);
    }

    function test_RevertWhen_AFailComesAfterAPass() external {
        Terms memory t = slowTerms();
        openPending(t);
        expectWrongState(t, Verdict.Fail, JobState.Pending, Outcome.Pass);
    }

    function test_RevertWhen_AFailComesAfterAFail() external {
        Terms memory t = usualTerms();
        open(t);
        fail(t);
        expectWrongState(t, Verdict.Fail, JobState.Pending, Outcome.Fail);
    }

    function test_RevertWhen_AFailComesInADispute() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        expectWrongState(t, Verdict.Fail, JobState.Disputed, Outcome.Claim);
    }

    // ---------------------------------------------------------------- no fault

    function test_NoFault_StartsTheDisputeWindow() external {
        Terms memory t = usualTerms();
        open(t);
        watch();

        noFault(t);

        assertNoMoneyMoved();
        assertPending(t, Outcome.NoFault, 0, t.disputeWindow);
    }

    function test_RevertWhen_NoFaultComesTwice() external {
        Terms memory t = usualTerms();
        open(t);
        noFault(t);
        expectWrongState(t, Verdict.NoFault, JobState.Pending, Outcome.NoFault);
    }

    function test_RevertWhen_NoFaultComesAfterAClaim() external {
        Terms memory t = usualTerms();
        open(t);
        propose(t, 500);
        expectWrongState(t, Verdict.NoFault, JobState.Pending, Outcome.Claim);
    }

    function test_RevertWhen_NoFaultComesInADispute() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        expectWrongState(t, Verdict.NoFault, JobState.Disputed, Outcome.Claim);
    }
}
