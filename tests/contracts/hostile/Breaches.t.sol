// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {IVerifierCommittee} from "../../../contracts/interfaces/IVerifierCommittee.sol";
import {Attestation, Verdict} from "../../../contracts/types/Attestation.sol";
import {Job, JobState, Outcome} from "../../../contracts/types/Job.sol";
import {Settlement} from "../../../contracts/types/Settlement.sol";
import {Signatures} from "../../../contracts/types/Signatures.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Committee} from "../fixture/Committee.sol";

/// @notice `breaches.tree`. Four breaches that shipped in systems of this kind, each tried on ours. DESIGN.md, section 2, names them.
contract BreachesTest is Committee {
    function pot() private view returns (uint256) {
        return credit.balanceOf(address(escrow));
    }

    // ---------------------------------------------------------------- a refund path that paid out budgets never funded

    function test_NoWayOut_PaysABudgetThatWasNeverFunded() external {
        Terms memory t = usualTerms();
        Settlement memory s = settlement(t, t.maxUnits);
        Signatures memory agreed = settlementSignatures(t, s, true);
        Attestation memory a = statement(t, Verdict.Pass, t.maxUnits, true);
        bytes memory attested = sign(verifier, escrow.attestationDigest(a));
        bytes memory none = abi.encodeWithSelector(IJobEscrow.WrongState.selector, JobState.None, Outcome.NoFault);
        uint256 before = pot();
        uint256[2] memory times = [uint256(START), uint256(t.end) + 1];

        for (uint256 i; i < times.length; ++i) {
            vm.warp(times[i]);
            vm.startPrank(buyer);
            vm.expectRevert(none);
            escrow.reclaim(t);
            vm.expectRevert(none);
            escrow.reclaimToWallet(t);
            vm.expectRevert(none);
            escrow.finalizeToWallet(t);
            vm.expectRevert(none);
            escrow.agree(t, s, agreed);
            vm.expectRevert(none);
            escrow.attestToWallet(t, a, attested);
            vm.stopPrank();
        }
        vm.assertEq(pot(), before);
    }

    function test_ACancelledJob_RefundsNothing() external {
        Terms memory t = usualTerms();
        vm.prank(buyer);
        escrow.cancel(t);
        vm.warp(uint256(t.end) + 1);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.WrongState.selector, JobState.Closed, Outcome.NoFault));
        vm.prank(buyer);
        escrow.reclaimToWallet(t);
    }

    function test_TermsThatDifferInOneAtom_AreAnotherJob_ThatWasNeverFunded() external {
        Terms memory t = usualTerms();
        open(t);
        passDeadline(t);
        t.verifierFee += 1;
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.WrongState.selector, JobState.None, Outcome.NoFault));
        vm.prank(buyer);
        escrow.reclaimToWallet(t);
    }

    // ---------------------------------------------------------------- a bond frozen from one party and seized from another

    function test_ABond_IsTakenFromThePartyThatLockedIt_AndFromNobodyElse() external {
        address rival = actor("rival");
        enlist(rival);
        endow(rival, ENDOWMENT);
        Terms memory t = sponsoredTerms();
        Terms memory other = sponsoredTerms();
        other.provider = rival;
        open(t);
        open(other);
        passDeadline(t);

        // Not from the sender, the sponsor or the other provider, whoever reclaims.
        vm.prank(rival);
        escrow.reclaim(t);

        vm.assertEq(uint256(escrow.accountOf(provider).locked), 0);
        vm.assertEq(uint256(escrow.accountOf(provider).free), ENDOWMENT - t.bond);
        vm.assertEq(uint256(escrow.accountOf(rival).locked), other.bond);
        vm.assertEq(uint256(escrow.accountOf(rival).free), ENDOWMENT - other.bond);
        vm.assertEq(uint256(escrow.accountOf(sponsor).locked), escrowOf(other));
        vm.assertEq(uint256(escrow.accountOf(buyer).free), ENDOWMENT + t.bond);
    }

    function test_ABond_ComesBackToThePartyThatLockedIt() external {
        Terms memory t = sponsoredTerms();
        open(t);
        pass(t, t.maxUnits);

        uint256 gross = uint256(t.unitPrice) * t.maxUnits;
        vm.assertEq(uint256(escrow.accountOf(provider).free), ENDOWMENT + gross - gross / 100);
        vm.assertEq(uint256(escrow.accountOf(provider).locked), 0);
    }

    // ---------------------------------------------------------------- a quorum whose votes could never be recorded

    function test_EveryQuorumOfACommittee_Counts() external {
        (IVerifierCommittee committee, address[] memory members) = committeeOf(2, 3, 3);
        uint8[2][3] memory pairs = [[0, 1], [0, 2], [1, 2]];
        for (uint256 i; i < pairs.length; ++i) {
            Terms memory t = usualTerms();
            t.verifier = address(committee);
            t.nonce = uint48(i + 1);
            open(t);
            Attestation memory a = statement(t, Verdict.Pass, 600, true);
            bytes32 digest = escrow.attestationDigest(a);
            bytes memory first = sign(members[pairs[i][0]], digest);

            escrow.attest(t, a, bytes.concat(abi.encode(a), first, sign(members[pairs[i][1]], digest)));

            vm.assertEq(uint256(escrow.jobOf(a.job).state), uint256(JobState.Closed));
        }
    }

    function test_TheLargestCommittee_FitsTheGasThatTheEscrowGrants() external {
        (IVerifierCommittee committee, address[] memory members) = committeeOf(32, 32, 32);
        Terms memory t = usualTerms();
        t.verifier = address(committee);
        open(t);
        Attestation memory a = statement(t, Verdict.Pass, 600, true);

        escrow.attest(t, a, committeeSignature(a, members, 0, 32));

        vm.assertEq(uint256(escrow.jobOf(a.job).state), uint256(JobState.Closed));
        vm.assertEq(uint256(escrow.accountOf(address(committee)).free), t.verifierFee);
    }

    function test_AQuorumThatNeverForms_LeavesTheProviderItsClaim() external {
        (IVerifierCommittee committee,) = committeeOf(2, 2, 1);
        Terms memory t = usualTerms();
        t.verifier = address(committee);
        open(t);
        propose(t, 600);
        passDeadline(t);
        finalize(t);

        Job memory job = escrow.jobOf(escrow.jobIdOf(t));
        vm.assertEq(uint256(job.state), uint256(JobState.Closed));
        vm.assertEq(uint256(job.accepted), 600);
    }

    // ---------------------------------------------------------------- a close that paid its fee twice

    function test_AClosePaysItsFeeOnce_WhateverClosesAgain() external {
        Terms memory t = usualTerms();
        open(t);
        open(another(t)); // deposits of others that a second fee could come from
        pass(t, 600);
        uint256 fee = uint256(t.unitPrice) * 600 / 100;
        vm.assertEq(uint256(escrow.fees()), fee);

        Attestation memory a = statement(t, Verdict.Pass, 600, true);
        bytes memory attested = sign(verifier, escrow.attestationDigest(a));
        bytes memory closed = abi.encodeWithSelector(IJobEscrow.WrongState.selector, JobState.Closed, Outcome.Pass);
        vm.expectRevert(closed);
        escrow.attest(t, a, attested);
        vm.warp(uint256(t.end) + 1);
        vm.expectRevert(closed);
        escrow.finalize(t);
        vm.expectRevert(closed);
        escrow.reclaim(t);

        vm.assertEq(uint256(escrow.fees()), fee);
    }

    function test_FeesAreCollectedOnce_AndLeaveOthersDepositsAlone() external {
        Terms memory t = usualTerms();
        open(t);
        pass(t, 600);
        uint256 fee = escrow.fees();
        uint256 before = pot();

        escrow.collectFees();
        escrow.collectFees();

        vm.assertEq(pot(), before - fee);
        vm.assertEq(credit.balanceOf(treasury), fee);
    }

    function another(Terms memory t) private pure returns (Terms memory copy) {
        copy = abi.decode(abi.encode(t), (Terms));
        copy.nonce += 1;
    }
}
