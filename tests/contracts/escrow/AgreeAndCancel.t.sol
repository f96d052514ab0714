// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {ClosedBy, JobState, Outcome} from "../../../contracts/types/Job.sol";
import {JobId} from "../../../contracts/types/JobId.sol";
import {Settlement} from "../../../contracts/types/Settlement.sol";
import {Signatures} from "../../../contracts/types/Signatures.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Books} from "../fixture/Books.sol";
import {SigningContract} from "../fixture/SigningContract.sol";

/// @notice `dispute_rule_agree_cancel.tree`, agree and cancel.
contract AgreeAndCancelTest is Books {
    // ---------------------------------------------------------------- agree

    function test_Agree_EndsAnOpenJob() external {
        Terms memory t = usualTerms();
        open(t);
        watch();
        agree(t, 250);
        assertClosed(t, relayer, paying(t, ClosedBy.Agreed, Outcome.NoFault, 250, false));
    }

    function test_Agree_EndsAPendingJob() external {
        Terms memory t = slowTerms();
        openPending(t);
        watch();
        agree(t, 250);
        assertClosed(t, relayer, paying(t, ClosedBy.Agreed, Outcome.Pass, 250, true));
    }

    function test_Agree_EndsADisputedJob_WithoutTheArbitersFee() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        watch();
        agree(t, 250);
        assertClosed(t, relayer, paying(t, ClosedBy.Agreed, Outcome.Claim, 250, false));
    }

    function test_Agree_EndsAJobWhoseDeadlineHasPassed() external {
        Terms memory t = usualTerms();
        open(t);
        passDeadline(t);
        watch();
        agree(t, 0);
        assertClosed(t, relayer, paying(t, ClosedBy.Agreed, Outcome.NoFault, 0, false));
    }

    function test_Agree_MayPayLessThanWasAccepted() external {
        Terms memory t = usualTerms();
        open(t);
        reading(t, 400);
        watch();
        agree(t, 100);
        assertClosed(t, relayer, paying(t, ClosedBy.Agreed, Outcome.NoFault, 100, true));
    }

    function test_Agree_FreesTheBond_AfterAFail() external {
        Terms memory t = usualTerms();
        open(t);
        fail(t);
        watch();
        agree(t, 100);
        assertClosed(t, relayer, paying(t, ClosedBy.Agreed, Outcome.Fail, 100, true));
    }

    function test_Agree_NeedsNoPayer_UpToWhatWasAccepted() external {
        Terms memory t = sponsoredTerms();
        open(t);
        reading(t, 400);
        watch();
        agree(t, 400);
        assertClosed(t, relayer, paying(t, ClosedBy.Agreed, Outcome.NoFault, 400, true));
    }

    function test_Agree_NeedsThePayer_AboveWhatWasAccepted() external {
        Terms memory t = sponsoredTerms();
        open(t);
        reading(t, 400);
        Settlement memory s = settlement(t, 401);
        Signatures memory two = settlementSignatures(t, s, false);
        Signatures memory three = settlementSignatures(t, s, true);

        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.NotAuthorised.selector, sponsor));
        escrow.agree(t, s, two);

        watch();
        vm.prank(relayer);
        escrow.agree(t, s, three);
        assertClosed(t, relayer, paying(t, ClosedBy.Agreed, Outcome.NoFault, 401, true));
    }

    function test_Agree_WhenAPartyCalls() external {
        Terms memory t = usualTerms();
        open(t);
        Settlement memory s = settlement(t, 250);
        Signatures memory given = settlementSignatures(t, s, false);
        given.buyer = "";
        watch();
        vm.prank(buyer);
        escrow.agree(t, s, given);
        assertClosed(t, buyer, paying(t, ClosedBy.Agreed, Outcome.NoFault, 250, false));
    }

    function test_Agree_RevertWhen_BuyerOrProviderDidNotSign() external {
        Terms memory t = usualTerms();
        open(t);
        Settlement memory s = settlement(t, 250);
        Signatures memory given = settlementSignatures(t, s, false);
        bytes memory empty;

        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.NotAuthorised.selector, buyer));
        escrow.agree(t, s, Signatures(empty, empty, given.provider));
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.NotAuthorised.selector, provider));
        escrow.agree(t, s, Signatures(given.buyer, empty, empty));
    }

    function test_Agree_RevertWhen_AContractPartyDidNotConsent() external {
        SigningContract wallet = new SigningContract();
        Terms memory t = sponsoredTerms();
        t.buyer = address(wallet);
        JobId id = escrow.jobIdOf(t);
        Signatures memory given = Signatures("any", sign(sponsor, JobId.unwrap(id)), sign(provider, JobId.unwrap(id)));
        wallet.act(address(escrow), abi.encodeCall(IJobEscrow.open, (t, given)));
        Settlement memory s = settlement(t, 0);
        Signatures memory agreed = Signatures("any", "", sign(provider, escrow.settlementDigest(s)));

        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.ConsentMissing.selector, address(wallet)));
        escrow.agree(t, s, agreed);
    }

    function test_Agree_RevertWhen_ItIsForAnotherJob() external {
        Terms memory t = usualTerms();
        JobId id = open(t);
        Settlement memory s = settlement(t, 250);
        s.job = JobId.wrap(keccak256("another"));
        Signatures memory given = settlementSignatures(t, s, false);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.WrongJob.selector, s.job, id));
        escrow.agree(t, s, given);
    }

    function test_Agree_RevertWhen_ItsDeadlineHasPassed() external {
        Terms memory t = usualTerms();
        open(t);
        Settlement memory s = settlement(t, 250);
        Signatures memory given = settlementSignatures(t, s, false);
        vm.warp(uint256(s.deadline) + 1);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.TooLate.selector, uint256(s.deadline) + 1, s.deadline));
        escrow.agree(t, s, given);
    }

    function test_Agree_RevertWhen_TheUnitsExceedTheMost() external {
        Terms memory t = usualTerms();
        open(t);
        Settlement memory s = settlement(t, 1_001);
        Signatures memory given = settlementSignatures(t, s, false);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.UnitsOutOfRange.selector, 1_001, 0, 1_000));
        escrow.agree(t, s, given);
    }

    // ---------------------------------------------------------------- cancel

    function test_Cancel_ClosesWhatNeverOpened_ForAnyParty() external {
        address[3] memory parties = [buyer, sponsor, provider];
        for (uint256 i; i < parties.length; ++i) {
            Terms memory t = sponsoredTerms();
            t.nonce = uint48(i + 1);
            watch();

            vm.expectEmit(address(escrow));
            emit IJobEscrow.JobCancelled(escrow.jobIdOf(t), parties[i]);
            vm.prank(parties[i]);
            escrow.cancel(t);

            assertNoMoneyMoved();
            assertJob(t, JobState.Closed, Outcome.NoFault, 0, 0, 0);
        }
    }

    function test_Cancel_RevertWhen_TheCallerIsNoParty() external {
        Terms memory t = usualTerms();
        address[3] memory others = [verifier, arbiter, relayer];
        for (uint256 i; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IJobEscrow.CallerNotParty.selector, others[i]));
            vm.prank(others[i]);
            escrow.cancel(t);
        }
    }

    function test_Cancel_RevertWhen_TheJobIsOpen() external {
        Terms memory t = usualTerms();
        open(t);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.WrongState.selector, JobState.Open, Outcome.NoFault));
        vm.prank(buyer);
        escrow.cancel(t);
    }

    function test_Cancel_RevertWhen_CancelledBefore() external {
        Terms memory t = usualTerms();
        vm.startPrank(buyer);
        escrow.cancel(t);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.WrongState.selector, JobState.Closed, Outcome.NoFault));
        escrow.cancel(t);
    }
}
