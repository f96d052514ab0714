// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {Attestation, Verdict} from "../../../contracts/types/Attestation.sol";
import {JobState} from "../../../contracts/types/Job.sol";
import {Signatures} from "../../../contracts/types/Signatures.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {SigningContract} from "../fixture/SigningContract.sol";
import {Trade} from "../fixture/Trade.sol";

/// @notice `griefing.tree`. Contracts that burn, flood or stay silent: what they cost is bounded, and every job still has its way out.
contract GriefingTest is Trade {
    uint256 private constant ERC1271_GAS = 1_000_000;

    function test_AVerifierThatBurnsGas_CostsAtMostItsGrant() external {
        SigningContract oracle = new SigningContract();
        oracle.become(SigningContract.Mood.BurnsItsGas);
        Terms memory t = usualTerms();
        t.verifier = address(oracle);
        open(t);
        Attestation memory a = statement(t, Verdict.Pass, 600, true);

        uint256 before = gasleft();
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.NotAuthorised.selector, address(oracle)));
        escrow.attest(t, a, "");
        vm.assertLt(before - gasleft(), ERC1271_GAS + 100_000);
    }

    function test_AVerifierThatFloods_CostsLittle_AndItsFirstWordCounts() external {
        SigningContract oracle = new SigningContract();
        oracle.become(SigningContract.Mood.AnswersLong);
        Terms memory t = usualTerms();
        t.verifier = address(oracle);
        open(t);
        Attestation memory a = statement(t, Verdict.Pass, 600, true);

        uint256 before = gasleft();
        escrow.attest(t, a, "");
        vm.assertLt(before - gasleft(), 250_000);
        vm.assertEq(uint256(escrow.jobOf(a.job).state), uint256(JobState.Closed));
    }

    function closesWithoutVerifierAndArbiter(SigningContract.Mood mood) private {
        SigningContract oracle = new SigningContract();
        SigningContract panel = new SigningContract();
        oracle.become(mood);
        panel.become(mood);
        Terms memory t = usualTerms();
        t.verifier = address(oracle);
        t.arbiter = address(panel);
        t.nonce = uint48(uint256(mood) + 1);
        open(t);
        propose(t, 600);
        disputeAs(buyer, t);
        passDeadline(t);
        finalize(t);
        vm.assertEq(uint256(escrow.jobOf(escrow.jobIdOf(t)).state), uint256(JobState.Closed));
        vm.assertEq(uint256(escrow.accountOf(buyer).locked), 0);
        vm.assertEq(uint256(escrow.accountOf(provider).locked), 0);
        vm.warp(START);
    }

    function test_AJobCloses_ThoughVerifierAndArbiterRevertOrBurn() external {
        closesWithoutVerifierAndArbiter(SigningContract.Mood.Reverts);
        closesWithoutVerifierAndArbiter(SigningContract.Mood.BurnsItsGas);
    }

    /// @dev Refunds and pay are credited, never pushed: a party that cannot receive blocks nobody.
    function test_APartyWithoutCode_OrThatRevertsOnEverything_BlocksNobody() external {
        SigningContract wallet = new SigningContract();
        endow(address(wallet), ENDOWMENT);
        Terms memory t = sponsoredTerms();
        t.payer = address(wallet);
        bytes32 digest = bytes32(abi.encode(escrow.jobIdOf(t)));
        wallet.act(address(escrow), abi.encodeCall(IJobEscrow.setSpendingConsent, (true)));
        escrow.open(t, Signatures(sign(buyer, digest), "", sign(provider, digest)));
        vm.etch(address(wallet), hex"fe");

        pass(t, 600);

        vm.assertEq(uint256(escrow.accountOf(address(wallet)).locked), 0);
    }

    // ---------------------------------------------------------------- calldata with bits beyond its types

    uint256 private constant TERMS_FIELDS = 23;
    uint256 private constant FIRST_WORD = 4;

    /// @dev Terms are hashed straight from calldata. A dirty word gives a digest that nobody signed; and where a party calls, so that no
    /// signature of its own is asked for, the word is refused as soon as it is read.
    function test_Open_RefusesDirtyWords_InEveryField() external {
        Terms memory t = usualTerms();
        bytes memory clean = abi.encodeCall(IJobEscrow.open, (t, signatures(t)));
        for (uint256 field; field < TERMS_FIELDS; ++field) {
            if (field >= 6 && field <= 9) continue; // bytes32 has no bits to spare
            bytes memory dirty = bytes.concat(clean);
            dirty[FIRST_WORD + field * 32] = 0x80;
            (bool done,) = address(escrow).call(dirty);
            vm.assertFalse(done);
        }
        (bool opened,) = address(escrow).call(clean);
        vm.assertTrue(opened);
    }

    function test_Attest_RefusesAVerdictThatDoesNotExist() external {
        Terms memory t = usualTerms();
        open(t);
        bytes memory data = abi.encodeCall(IJobEscrow.attest, (t, statement(t, Verdict.Pass, 600, true), ""));
        data[FIRST_WORD + (TERMS_FIELDS + 1) * 32 + 31] = 0x03;
        vm.prank(verifier);
        (bool done,) = address(escrow).call(data);
        vm.assertFalse(done);
    }
}
