// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {Attestation, Verdict} from "../../../contracts/types/Attestation.sol";
import {JobState, Outcome} from "../../../contracts/types/Job.sol";
import {Ruling} from "../../../contracts/types/Ruling.sol";
import {Settlement} from "../../../contracts/types/Settlement.sol";
import {Signatures} from "../../../contracts/types/Signatures.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Books} from "../fixture/Books.sol";

/// @notice `closed_absorbs.tree`. No call leads out of `Closed`, and none but `open` and `cancel` out of a job that never was: whoever calls, whenever.
contract ClosedAbsorbsTest is Books {
    /// @dev Every call on these terms, each with all it could need.
    function everyCall(Terms memory t) private view returns (bytes[] memory calls) {
        Attestation memory a = statement(t, Verdict.Pass, t.maxUnits, true);
        bytes memory attested = sign(t.verifier, escrow.attestationDigest(a));
        Ruling memory r = ruling(t, t.maxUnits, 0, 0);
        bytes memory ruled = sign(t.arbiter, escrow.rulingDigest(r));
        Settlement memory s = settlement(t, t.maxUnits);
        calls = new bytes[](12);
        calls[0] = abi.encodeCall(IJobEscrow.attest, (t, a, attested));
        calls[1] = abi.encodeCall(IJobEscrow.attestToWallet, (t, a, attested));
        calls[2] = abi.encodeCall(IJobEscrow.propose, (t, t.maxUnits, bytes32(0)));
        calls[3] = abi.encodeCall(IJobEscrow.finalize, (t));
        calls[4] = abi.encodeCall(IJobEscrow.finalizeToWallet, (t));
        calls[5] = abi.encodeCall(IJobEscrow.reclaim, (t));
        calls[6] = abi.encodeCall(IJobEscrow.reclaimToWallet, (t));
        calls[7] = abi.encodeCall(IJobEscrow.dispute, (t));
        calls[8] = abi.encodeCall(IJobEscrow.rule, (t, r, ruled));
        calls[9] = abi.encodeCall(IJobEscrow.agree, (t, s, settlementSignatures(t, s, true)));
        calls[10] = abi.encodeCall(IJobEscrow.cancel, (t));
        calls[11] = abi.encodeCall(IJobEscrow.open, (t, signatures(t)));
    }

    function assertAllRefused(Terms memory t, uint256 count, JobState state, Outcome outcome) private {
        bytes memory reason = abi.encodeWithSelector(IJobEscrow.WrongState.selector, state, outcome);
        bytes[] memory calls = everyCall(t);
        address[4] memory callers = [t.buyer, t.provider, t.verifier, relayer];
        watch();
        for (uint256 i; i < count; ++i) {
            for (uint256 j; j < callers.length; ++j) {
                vm.prank(callers[j]);
                (bool done, bytes memory answer) = address(escrow).call(calls[i]);
                vm.assertFalse(done);
                vm.assertEq(answer, reason);
            }
        }
        assertNoMoneyMoved();
    }

    function assertAbsorbs(Terms memory t, Outcome outcome) private {
        bytes32 slot = keccak256(abi.encode(escrow.jobOf(escrow.jobIdOf(t))));
        assertAllRefused(t, 12, JobState.Closed, outcome);
        vm.warp(block.timestamp + 60 days);
        assertAllRefused(t, 12, JobState.Closed, outcome);
        vm.assertEq(keccak256(abi.encode(escrow.jobOf(escrow.jobIdOf(t)))), slot);
    }

    function test_AJobThatNeverWas_KnowsNoCallButOpenAndCancel() external {
        assertAllRefused(usualTerms(), 10, JobState.None, Outcome.NoFault);
    }

    function test_Attested_Absorbs() external {
        Terms memory t = usualTerms();
        open(t);
        pass(t, 600);
        assertAbsorbs(t, Outcome.Pass);
    }

    function test_Finalized_Absorbs() external {
        Terms memory t = usualTerms();
        open(t);
        fail(t);
        passDeadline(t);
        finalize(t);
        assertAbsorbs(t, Outcome.Fail);
    }

    function test_Ruled_Absorbs() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        rule(t, ruling(t, 600, 0, 0));
        assertAbsorbs(t, Outcome.Claim);
    }

    function test_Agreed_Absorbs() external {
        Terms memory t = usualTerms();
        open(t);
        agree(t, 600);
        assertAbsorbs(t, Outcome.NoFault);
    }

    function test_Reclaimed_Absorbs() external {
        Terms memory t = usualTerms();
        open(t);
        passDeadline(t);
        reclaim(t);
        assertAbsorbs(t, Outcome.NoFault);
    }

    function test_DisputedByDefault_Absorbs() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        passDeadline(t);
        finalize(t);
        assertAbsorbs(t, Outcome.Claim);
    }

    function test_Cancelled_Absorbs() external {
        Terms memory t = usualTerms();
        vm.prank(buyer);
        escrow.cancel(t);
        assertAbsorbs(t, Outcome.NoFault);
    }
}
