// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {JobState, Outcome} from "../../../contracts/types/Job.sol";
import {JobId} from "../../../contracts/types/JobId.sol";
import {Signatures} from "../../../contracts/types/Signatures.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {SigningContract} from "../fixture/SigningContract.sol";
import {Trade} from "../fixture/Trade.sol";

/// @notice `open.tree`, authorisation: nobody is bound to what it did not sign.
contract OpenAuthorisationTest is Trade {
    uint256 private constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    function digestOf(Terms memory t) private view returns (bytes32) {
        return JobId.unwrap(escrow.jobIdOf(t));
    }

    function expectUnauthorised(Terms memory t, Signatures memory given, address party) private {
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.NotAuthorised.selector, party));
        vm.prank(relayer);
        escrow.open(t, given);
    }

    function assertOpens(Terms memory t, Signatures memory given, address sender) private {
        JobId id = escrow.jobIdOf(t);
        vm.prank(sender);
        escrow.open(t, given);
        vm.assertEq(uint256(escrow.jobOf(id).state), uint256(JobState.Open));
    }

    // ---------------------------------------------------------------- who has to

    function test_RevertWhen_ThePartiesDidNotSign() external {
        Terms memory t = sponsoredTerms();
        Signatures memory given = signatures(t);
        bytes memory empty;
        expectUnauthorised(t, Signatures(empty, given.payer, given.provider), buyer);
        expectUnauthorised(t, Signatures(given.buyer, empty, given.provider), sponsor);
        expectUnauthorised(t, Signatures(given.buyer, given.payer, empty), provider);
    }

    function test_RevertWhen_TheSignaturesAreSwapped() external {
        Terms memory t = sponsoredTerms();
        Signatures memory given = signatures(t);
        expectUnauthorised(t, Signatures(given.payer, given.buyer, given.provider), sponsor);
    }

    function test_RevertWhen_AnyFieldIsNotWhatWasSigned() external {
        Terms memory t = usualTerms();
        Signatures memory given = signatures(t);
        t.unitPrice -= 1;
        expectUnauthorised(t, given, buyer);
    }

    function test_RevertWhen_SignedForAnotherChain() external {
        Terms memory t = usualTerms();
        Signatures memory given = signatures(t);
        vm.chainId(1);
        expectUnauthorised(t, given, buyer);
    }

    function test_RevertWhen_SignedForAnotherEscrow() external {
        Terms memory t = usualTerms();
        Signatures memory given = signatures(t);
        (registry,, escrow) = deployEscrow(address(credit));
        enlist(provider);
        expectUnauthorised(t, given, buyer);
    }

    function test_Open_WhenAPartyCallsInsteadOfSigning() external {
        Terms memory t = sponsoredTerms();
        address[3] memory parties = [buyer, sponsor, provider];
        for (uint256 i; i < parties.length; ++i) {
            t.nonce = uint48(i + 1);
            Signatures memory given = signatures(t);
            if (i == 0) given.buyer = "";
            if (i == 1) given.payer = "";
            if (i == 2) given.provider = "";
            assertOpens(t, given, parties[i]);
        }
    }

    // ---------------------------------------------------------------- keys

    function test_Open_WithShortSignatures() external {
        Terms memory t = sponsoredTerms();
        bytes32 digest = digestOf(t);
        Signatures memory given =
            Signatures(signShort(buyer, digest), signShort(sponsor, digest), signShort(provider, digest));
        vm.assertEq(given.buyer.length, 64);
        assertOpens(t, given, relayer);
    }

    function test_RevertWhen_TheSignatureIsMalleable() external {
        Terms memory t = usualTerms();
        Signatures memory given = signatures(t);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keyOf[buyer], digestOf(t));
        given.buyer = abi.encodePacked(r, ORDER - uint256(s), v == 27 ? uint8(28) : uint8(27));
        expectUnauthorised(t, given, buyer);
    }

    function test_RevertWhen_TheRecoveryByteIsUnknown() external {
        Terms memory t = usualTerms();
        Signatures memory given = signatures(t);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keyOf[buyer], digestOf(t));
        given.buyer = abi.encodePacked(r, s, v - 27);
        expectUnauthorised(t, given, buyer);
    }

    function test_RevertWhen_TheSignatureHasAnotherLength(uint256 seed) external {
        Terms memory t = usualTerms();
        Signatures memory given = signatures(t);
        uint256 length = bound(seed, 0, 130);
        if (length == 65) length = 66;
        bytes memory cut = new bytes(length);
        for (uint256 i; i < length && i < 65; ++i) {
            cut[i] = given.buyer[i];
        }
        given.buyer = cut;
        expectUnauthorised(t, given, buyer);
    }

    /// @dev A signature that recovers to nobody must not authorise the zero address, in any role.
    function test_RevertWhen_ThePayerIsZeroAndTheSignatureIsNoise() external {
        Terms memory t = usualTerms();
        t.payer = address(0);
        bytes32 digest = digestOf(t);
        Signatures memory given = Signatures(sign(buyer, digest), new bytes(65), sign(provider, digest));
        endow(buyer, 1);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.NotAuthorised.selector, address(0)));
        escrow.open(t, given);
    }

    // ---------------------------------------------------------------- contracts

    function contractTerms() private returns (Terms memory t, Signatures memory given, SigningContract wallet) {
        wallet = new SigningContract();
        endow(address(wallet), ENDOWMENT);
        t = sponsoredTerms();
        t.payer = address(wallet);
        bytes32 digest = digestOf(t);
        given = Signatures(sign(buyer, digest), "any", sign(provider, digest));
    }

    function consent(SigningContract wallet) private {
        wallet.act(address(escrow), abi.encodeCall(IJobEscrow.setSpendingConsent, (true)));
    }

    function test_Open_WhenAContractThatConsentedAnswers() external {
        (Terms memory t, Signatures memory given, SigningContract wallet) = contractTerms();
        consent(wallet);
        assertOpens(t, given, relayer);
        vm.assertEq(uint256(escrow.accountOf(address(wallet)).locked), escrowOf(t));
        vm.assertTrue(escrow.accountOf(address(wallet)).optedIn);
    }

    function test_RevertWhen_AContractAnswersWithoutConsent() external {
        (Terms memory t, Signatures memory given, SigningContract wallet) = contractTerms();
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.ConsentMissing.selector, address(wallet)));
        escrow.open(t, given);
    }

    function test_Open_WhenAContractCalls_ThoughItNeverConsented() external {
        (Terms memory t, Signatures memory given, SigningContract wallet) = contractTerms();
        wallet.act(address(escrow), abi.encodeCall(IJobEscrow.open, (t, given)));
        vm.assertEq(uint256(escrow.jobOf(escrow.jobIdOf(t)).state), uint256(JobState.Open));
    }

    function test_RevertWhen_AContractDoesNotAnswerRight() external {
        (Terms memory t, Signatures memory given, SigningContract wallet) = contractTerms();
        consent(wallet);
        SigningContract.Mood[5] memory moods = [
            SigningContract.Mood.Refuses,
            SigningContract.Mood.Reverts,
            SigningContract.Mood.RevertsWithTheAnswer,
            SigningContract.Mood.AnswersTooLittle,
            SigningContract.Mood.BurnsItsGas
        ];
        for (uint256 i; i < moods.length; ++i) {
            wallet.become(moods[i]);
            expectUnauthorised(t, given, address(wallet));
        }
    }

    // ---------------------------------------------------------------- nonces

    function test_RevertWhen_AnyPartyCancelledTheNonce() external {
        Terms memory t = sponsoredTerms();
        t.nonce = 41;
        Signatures memory given = signatures(t);
        address[3] memory parties = [buyer, sponsor, provider];
        uint256 clean = vm.snapshotState();
        for (uint256 i; i < parties.length; ++i) {
            vm.prank(parties[i]);
            escrow.cancelBelow(42);
            vm.expectRevert(abi.encodeWithSelector(IJobEscrow.NonceCancelled.selector, parties[i], 41, 42));
            vm.prank(relayer);
            escrow.open(t, given);
            vm.assertTrue(vm.revertToState(clean));
            clean = vm.snapshotState();
        }
    }

    function test_Open_WithTheLeastNonceThatIsNotCancelled() external {
        Terms memory t = usualTerms();
        t.nonce = 42;
        vm.prank(buyer);
        escrow.cancelBelow(42);
        assertOpens(t, signatures(t), relayer);
    }

    function test_RevertWhen_TheNonceCouldNotBeCancelled() external {
        Terms memory t = usualTerms();
        t.nonce = escrow.MAX_NONCE() + 1;
        Signatures memory given = signatures(t);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.NonceOutOfRange.selector, t.nonce, 0, escrow.MAX_NONCE()));
        escrow.open(t, given);
    }

    function test_Open_WithTheHighestNonce() external {
        Terms memory t = usualTerms();
        t.nonce = escrow.MAX_NONCE();
        assertOpens(t, signatures(t), relayer);
    }

    function test_RevertWhen_SignedTermsAreReplayedAfterTheyClosed() external {
        Terms memory t = usualTerms();
        Signatures memory given = signatures(t);
        open(t);
        pass(t, 100);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.WrongState.selector, JobState.Closed, Outcome.Pass));
        escrow.open(t, given);
    }
}
