// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {IVerifierCommittee} from "../../../contracts/interfaces/IVerifierCommittee.sol";
import {Attestation, Verdict} from "../../../contracts/types/Attestation.sol";
import {JobState, Outcome} from "../../../contracts/types/Job.sol";
import {Opening} from "../../../contracts/types/Opening.sol";
import {SignedAttestation} from "../../../contracts/types/SignedAttestation.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Committee} from "../fixture/Committee.sol";

/// @notice `breaches.tree`. The four breaches of `Breaches.t.sol`, tried by batches and on leases, where a call is many and a close comes after many words.
contract BreachesInBatchesTest is Committee {
    uint64 private constant HOUR = 3_600;

    function leaseTerms() private view returns (Terms memory t) {
        t = ownTerms();
        t.unitPrice = 1e14 + 1;
        t.minUnits = 0;
        t.maxUnits = 8 * HOUR;
        t.end = uint40(START + 9 hours);
    }

    function passOf(Terms memory t, uint64 units, bool isFinal) private view returns (SignedAttestation memory) {
        Attestation memory a = statement(t, Verdict.Pass, units, isFinal);
        return SignedAttestation(t, a, sign(t.verifier, escrow.attestationDigest(a)));
    }

    function numbered(uint48 nonce) private view returns (Terms memory t) {
        t = usualTerms();
        t.nonce = nonce;
    }

    function sendAll(SignedAttestation[] memory items, address sender) private {
        vm.prank(sender);
        escrow.attestMany(items);
    }

    function state(Terms memory t) private view returns (uint256) {
        return uint256(escrow.jobOf(escrow.jobIdOf(t)).state);
    }

    function pot() private view returns (uint256) {
        return credit.balanceOf(address(escrow));
    }

    // ---------------------------------------------------------------- budgets never funded

    /// @dev The second item is skipped at its opening, and both are attested in one batch: what pays is what was funded.
    function test_AnItemThatWasSkipped_IsPaidByNoBatch() external {
        Terms memory funded = numbered(1);
        Terms memory skipped = numbered(2);
        skipped.maxFeeBps = 1;
        Opening[] memory openings = new Opening[](2);
        openings[0] = Opening(funded, signatures(funded));
        openings[1] = Opening(skipped, signatures(skipped));
        escrow.openMany(openings);
        uint256 before = pot();

        SignedAttestation[] memory items = new SignedAttestation[](2);
        items[0] = passOf(skipped, skipped.maxUnits, true);
        items[1] = passOf(funded, funded.maxUnits, true);
        sendAll(items, provider);

        vm.assertEq(state(skipped), uint256(JobState.None));
        vm.assertEq(state(funded), uint256(JobState.Closed));
        uint256 gross = uint256(funded.unitPrice) * funded.maxUnits;
        vm.assertEq(uint256(escrow.accountOf(provider).free), ENDOWMENT + gross - gross / 100);
        vm.assertEq(uint256(escrow.accountOf(verifier).free), funded.verifierFee);
        vm.assertEq(pot(), before);
    }

    function test_ALeaseThatNeverOpened_PaysNoReading() external {
        Terms memory t = leaseTerms();
        SignedAttestation[] memory items = new SignedAttestation[](2);
        items[0] = passOf(t, HOUR, false);
        items[1] = passOf(t, 2 * HOUR, true);
        sendAll(items, provider);
        vm.assertEq(state(t), uint256(JobState.None));
        vm.assertEq(uint256(escrow.accountOf(provider).free), ENDOWMENT);
        vm.assertEq(uint256(escrow.accountOf(buyer).free), ENDOWMENT);
    }

    // ---------------------------------------------------------------- somebody else's bond

    /// @dev Two providers in one batch, one of whom failed.
    function test_AFailInABatch_TakesTheBondOfWhoFailed_AndNoOthers() external {
        address rival = actor("rival");
        enlist(rival);
        endow(rival, ENDOWMENT);
        Terms memory good = numbered(1);
        Terms memory bad = numbered(2);
        bad.provider = rival;
        open(good);
        open(bad);
        SignedAttestation[] memory items = new SignedAttestation[](2);
        Attestation memory failed = statement(bad, Verdict.Fail, 0, true);
        items[0] = SignedAttestation(bad, failed, sign(verifier, escrow.attestationDigest(failed)));
        items[1] = passOf(good, 600, true);
        sendAll(items, relayer);
        passDeadline(bad);
        finalize(bad);

        uint256 gross = uint256(good.unitPrice) * 600;
        vm.assertEq(uint256(escrow.accountOf(provider).free), ENDOWMENT + gross - gross / 100);
        vm.assertEq(uint256(escrow.accountOf(rival).free), ENDOWMENT - bad.bond);
        vm.assertEq(uint256(escrow.accountOf(rival).locked), 0);
        vm.assertEq(uint256(escrow.accountOf(provider).locked), 0);
    }

    function test_TheBondOfALease_ComesBackToItsProvider_WhoeverReclaims() external {
        Terms memory t = leaseTerms();
        open(t);
        reading(t, HOUR);
        vm.warp(uint256(t.end) + 1);
        vm.prank(sponsor);
        escrow.reclaimToWallet(t);
        uint256 gross = uint256(t.unitPrice) * HOUR;
        vm.assertEq(uint256(escrow.accountOf(provider).free), ENDOWMENT + gross - gross / 100);
        vm.assertEq(uint256(escrow.accountOf(provider).locked), 0);
        vm.assertEq(credit.balanceOf(sponsor), 0);
    }

    // ---------------------------------------------------------------- a quorum whose votes cannot be recorded

    function test_EveryQuorumOfACommittee_CountsInOneBatch() external {
        (IVerifierCommittee committee, address[] memory members) = committeeOf(2, 3, 3);
        uint8[2][3] memory pairs = [[0, 1], [0, 2], [1, 2]];
        SignedAttestation[] memory items = new SignedAttestation[](3);
        for (uint256 i; i < 3; ++i) {
            Terms memory t = numbered(uint48(i + 1));
            t.verifier = address(committee);
            open(t);
            Attestation memory a = statement(t, Verdict.Pass, 600, true);
            bytes32 digest = escrow.attestationDigest(a);
            bytes memory both = bytes.concat(sign(members[pairs[i][0]], digest), sign(members[pairs[i][1]], digest));
            items[i] = SignedAttestation(t, a, bytes.concat(abi.encode(a), both));
        }
        sendAll(items, relayer);
        for (uint256 i; i < 3; ++i) {
            vm.assertEq(state(items[i].terms), uint256(JobState.Closed));
        }
    }

    // ---------------------------------------------------------------- a fee paid twice

    function test_TheSamePassTwiceInABatch_PaysOnce() external {
        Terms memory t = numbered(1);
        open(t);
        open(numbered(2)); // deposits of others that a second fee could come from
        SignedAttestation[] memory items = new SignedAttestation[](3);
        for (uint256 i; i < 3; ++i) {
            items[i] = passOf(t, 600, true);
        }
        sendAll(items, provider);
        sendAll(items, provider);
        uint256 gross = uint256(t.unitPrice) * 600;
        vm.assertEq(uint256(escrow.fees()), gross / 100);
        vm.assertEq(uint256(escrow.accountOf(verifier).free), t.verifierFee);
        vm.assertEq(uint256(escrow.accountOf(provider).locked), t.bond);
    }

    /// @dev Every reading of a lease in one batch, in any order, some twice: paid is the last, once.
    function testFuzz_ManyReadingsOfALease_PayTheHighestOnce(uint16[6] memory hours_, uint8 finalAt) external {
        Terms memory t = leaseTerms();
        open(t);
        SignedAttestation[] memory items = new SignedAttestation[](7);
        uint64 paid;
        for (uint256 i; i < 6; ++i) {
            uint64 units = uint64(bound(hours_[i], 0, t.maxUnits));
            items[i] = passOf(t, units, false);
            if (units > paid && i < finalAt % 7) paid = units;
        }
        // The last word stands somewhere among them, and what comes after it is skipped.
        uint64 end = uint64(bound(hours_[0] ^ hours_[5], 0, t.maxUnits));
        for (uint256 i = 6; i > finalAt % 7; --i) {
            items[i] = items[i - 1];
        }
        items[finalAt % 7] = passOf(t, end, true);
        if (end > paid) paid = end;
        sendAll(items, provider);

        uint256 gross = uint256(t.unitPrice) * paid;
        vm.assertEq(state(t), uint256(JobState.Closed));
        vm.assertEq(uint256(escrow.fees()), gross / 100);
        vm.assertEq(uint256(escrow.accountOf(provider).free), ENDOWMENT + gross - gross / 100);
        vm.assertEq(uint256(escrow.accountOf(buyer).free), ENDOWMENT - gross);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.WrongState.selector, JobState.Closed, Outcome.Pass));
        escrow.reclaim(t);
    }
}
