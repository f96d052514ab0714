// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {Attestation, Verdict} from "../../../contracts/types/Attestation.sol";
import {ClosedBy, JobState, Outcome} from "../../../contracts/types/Job.sol";
import {JobId} from "../../../contracts/types/JobId.sol";
import {Opening} from "../../../contracts/types/Opening.sol";
import {Parameters} from "../../../contracts/types/Parameters.sol";
import {Ruling} from "../../../contracts/types/Ruling.sol";
import {Settlement} from "../../../contracts/types/Settlement.sol";
import {Signatures} from "../../../contracts/types/Signatures.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {SigningContract} from "../fixture/SigningContract.sol";
import {Trade} from "../fixture/Trade.sol";
import {Vm} from "../cheatcodes/Vm.sol";

/// @notice `boundaries.tree`: one atom, one second, one bit or one role to either side. Each was found by a mutant that no other test noticed.
contract BoundariesTest is Trade {
    bytes32 private constant TERMS_TYPEHASH = keccak256(
        "Terms(address buyer,address payer,address provider,address verifier,address arbiter,address guard,bytes32 order,bytes32 resource,bytes32 spec,bytes32 sla,uint104 unitPrice,uint64 minUnits,uint64 maxUnits,uint104 bond,uint104 verifierFee,uint104 arbiterFee,uint40 openBy,uint40 end,uint32 passWindow,uint32 disputeWindow,uint32 rulingWindow,uint16 maxFeeBps,uint48 nonce)"
    );

    // ---------------------------------------------------------------- open

    function widths() private pure returns (uint8[23] memory) {
        return [160, 160, 160, 160, 160, 160, 0, 0, 0, 0, 104, 64, 64, 104, 104, 104, 40, 40, 32, 32, 32, 16, 48];
    }

    /// @dev Terms as words, with the lowest bit beyond a field's type set, signed by everybody as they stand.
    function test_Open_RefusesABitBeyondItsType_ThatEverybodySigned() external {
        Terms memory t = usualTerms();
        bytes32 domain = domainOf(t);
        uint8[23] memory width = widths();
        for (uint256 field; field < 23; ++field) {
            if (width[field] == 0) continue; // bytes32 has no bits to spare
            bytes memory words = abi.encode(t);
            bytes memory data = callWith(words, domain, field, width[field]);
            (bool done, bytes memory why) = address(escrow).call(data);
            vm.assertFalse(done);
            vm.assertEq(why.length, uint256(0), "refused for the word itself");
        }
        (bool opened,) = address(escrow).call(callWith(abi.encode(t), domain, 0, 0));
        vm.assertTrue(opened);
    }

    /// @dev The domain separator, out of nothing but what the escrow tells.
    function domainOf(Terms memory) private view returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Computility"),
                keccak256("1"),
                block.chainid,
                address(escrow)
            )
        );
    }

    function callWith(bytes memory words, bytes32 domain, uint256 field, uint256 bit)
        private
        view
        returns (bytes memory)
    {
        if (bit > 0) {
            assembly ("memory-safe") {
                let place := add(add(words, 0x20), mul(field, 0x20))
                mstore(place, or(mload(place), shl(bit, 1)))
            }
        }
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, keccak256(bytes.concat(TERMS_TYPEHASH, words))));
        Signatures memory signed = Signatures(sign(buyer, digest), "", sign(provider, digest));
        // The signatures' place is after the 23 words of the terms and itself.
        bytes memory tail = abi.encode(signed);
        return bytes.concat(IJobEscrow.open.selector, words, bytes32(uint256(24 * 32)), slice(tail, 32));
    }

    function slice(bytes memory data, uint256 from) private pure returns (bytes memory rest) {
        rest = new bytes(data.length - from);
        for (uint256 i; i < rest.length; ++i) {
            rest[i] = data[from + i];
        }
    }

    function test_Open_UpToTheCapExactly() external {
        Parameters memory p = defaultParameters();
        p.maxLocked = [uint24(2), 0, 0, 0];
        govern(address(escrow), abi.encodeCall(IJobEscrow.setParameters, (p)));
        Terms memory t = usualTerms();
        t.openBy = uint40(block.timestamp + 1 hours);
        t.end = uint40(block.timestamp + 1 days);
        t.bond = 2e18;
        open(t);
        vm.assertEq(uint256(escrow.accountOf(provider).locked), uint256(2e18));
    }

    function openFromReserve(Terms memory t) private returns (Vm.Log[] memory) {
        Signatures memory given = signatures(t);
        reserve.mint(buyer, 1e18);
        vm.prank(buyer);
        reserve.approve(address(escrow), 1e18);
        vm.recordLogs();
        vm.prank(relayer);
        escrow.openFromReserve(t, given, 0, 0, 0, 0);
        return vm.getRecordedLogs();
    }

    function count(Vm.Log[] memory logs, bytes32 topic) private view returns (uint256 found) {
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].emitter == address(escrow) && logs[i].topics[0] == topic) ++found;
        }
    }

    function test_OpenFromReserve_OfWholeUnits_TakesNoMore_AndDepositsNothing() external {
        Terms memory t = usualTerms();
        t.unitPrice = 3e15;
        t.arbiterFee = 2e17;
        Vm.Log[] memory logs = openFromReserve(t);
        vm.assertEq(count(logs, IJobEscrow.Deposited.selector), 0);
        vm.assertEq(1e18 - reserve.balanceOf(buyer), uint256(escrowOf(t)) / credit.scale());
        vm.assertEq(uint256(escrow.accountOf(buyer).free), uint256(ENDOWMENT));
    }

    function test_OpenFromReserve_WithChange_TellsOfTheDeposit() external {
        Vm.Log[] memory logs = openFromReserve(usualTerms());
        vm.assertEq(count(logs, IJobEscrow.Deposited.selector), 1);
    }

    function test_OpenFromReserve_WithAnAtomOfChange_DepositsIt() external {
        Terms memory t = usualTerms();
        t.unitPrice = 3e15;
        t.arbiterFee = uint104(2e17 + credit.scale() - 1);
        openFromReserve(t);
        vm.assertEq(uint256(escrow.accountOf(buyer).free), uint256(ENDOWMENT) + 1);
    }

    // ---------------------------------------------------------------- attest

    function test_Attest_TellsEachThingInItsPlace() external {
        Terms memory t = ownTerms();
        JobId id = open(t);
        reading(t, 300);
        Attestation memory a = statement(t, Verdict.Pass, 600, true);
        a.qualityBps = 9_000;
        vm.expectEmit(address(escrow));
        emit IJobEscrow.JobAttested(
            id,
            Verdict.Pass,
            a.result,
            600,
            true,
            9_000,
            a.meterRoot,
            a.evidence,
            300,
            Outcome.Pass,
            600,
            uint40(block.timestamp + t.disputeWindow)
        );
        attestAs(relayer, t, a);
    }

    function test_Attest_ASecondPassOfAnIndependentVerifier_RevertWhen_TheProviderSendsIt() external {
        Terms memory t = slowTerms();
        openPending(t);
        Attestation memory a = statement(t, Verdict.Pass, 700, true);
        bytes memory signature = sign(verifier, escrow.attestationDigest(a));
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.WrongState.selector, JobState.Pending, Outcome.Pass));
        vm.prank(provider);
        escrow.attest(t, a, signature);
    }

    function test_Attest_AnOwnPassThatIsNoHigher_DoesNotClose() external {
        Terms memory t = ownTerms();
        JobId id = openPending(t);
        attestAs(provider, t, statement(t, Verdict.Pass, 600, true));
        vm.assertEq(uint256(escrow.jobOf(id).state), uint256(JobState.Pending));
        vm.assertEq(uint256(escrow.jobOf(id).accepted), 600);
    }

    function test_Attest_AnOwnPassBelowWhatIsPending_DoesNotClose() external {
        Terms memory t = ownTerms();
        JobId id = openPending(t);
        attestAs(provider, t, statement(t, Verdict.Pass, 500, true));
        vm.assertEq(uint256(escrow.jobOf(id).state), uint256(JobState.Pending));
    }

    function test_Attest_ByTheBuyerOfASponsoredJob_WaitsUnlessTheProviderSends() external {
        Terms memory t = sponsoredTerms();
        t.verifier = buyer;
        JobId id = openPending(t);
        vm.assertEq(uint256(escrow.jobOf(id).state), uint256(JobState.Pending));
        vm.assertEq(uint256(escrow.jobOf(id).deadline), block.timestamp + t.disputeWindow);
        attestAs(provider, t, statement(t, Verdict.Pass, 700, true));
        vm.assertEq(uint256(escrow.jobOf(id).state), uint256(JobState.Closed));
    }

    function test_Attest_ByTheArbiterAsVerifier_IsRefused_SoTheArbiterIsNeverItsOwn() external {
        Terms memory t = usualTerms();
        t.verifier = t.arbiter;
        Signatures memory signed = signatures(t);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.RolesConflict.selector, arbiter));
        escrow.open(t, signed);
    }

    // ---------------------------------------------------------------- dispute and rule

    function test_Propose_RevertWhen_NoFaultIsDisputed() external {
        Terms memory t = usualTerms();
        open(t);
        noFault(t);
        disputeAs(buyer, t);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.WrongState.selector, JobState.Disputed, Outcome.NoFault));
        vm.prank(provider);
        escrow.propose(t, 600, bytes32(0));
    }

    function test_Dispute_WithoutAnArbiter_EndsNow() external {
        Terms memory t = slowTerms();
        t.arbiter = address(0);
        t.arbiterFee = 0;
        JobId id = openPending(t);
        vm.expectEmit(address(escrow));
        emit IJobEscrow.JobDisputed(id, buyer, uint40(block.timestamp));
        disputeAs(buyer, t);
    }

    function test_Rule_TellsTheRuling() external {
        Terms memory t = usualTerms();
        JobId id = openDisputed(t);
        vm.expectEmit(address(escrow));
        emit IJobEscrow.JobRuled(id, 500, 20, 7_000);
        rule(t, ruling(t, 500, 20, 7_000));
    }

    // ---------------------------------------------------------------- agree

    function test_Agree_AtTheLastSecond() external {
        Terms memory t = usualTerms();
        JobId id = open(t);
        Settlement memory s = Settlement(id, 600, uint40(block.timestamp));
        Signatures memory signed = settlementSignatures(t, s, false);
        escrow.agree(t, s, signed);
        vm.assertEq(uint256(escrow.jobOf(id).accepted), 600);
    }

    /// @dev Each of the three is a contract in turn, and it alone has consented.
    function test_Agree_AsksEachContractsOwnConsent() external {
        SigningContract wallet = new SigningContract();
        for (uint256 who; who < 3; ++who) {
            Terms memory t = sponsoredTerms();
            t.nonce = uint48(10 + who);
            Settlement memory s;
            Signatures memory signed;
            if (who == 0) t.buyer = address(wallet);
            if (who == 1) t.payer = address(wallet);
            if (who == 2) t.provider = address(wallet);
            prepare(wallet, who);
            Signatures memory opening = openingOf(t, who);
            escrow.open(t, opening);
            s = settlement(t, 600);
            bytes32 digest = escrow.settlementDigest(s);
            signed.buyer = who == 0 ? bytes("") : sign(buyer, digest);
            signed.payer = who == 1 ? bytes("") : sign(sponsor, digest);
            signed.provider = who == 2 ? bytes("") : sign(provider, digest);
            escrow.agree(t, s, signed);
            vm.assertEq(uint256(escrow.jobOf(escrow.jobIdOf(t)).accepted), 600);
        }
    }

    function prepare(SigningContract wallet, uint256 who) private {
        wallet.act(address(escrow), abi.encodeCall(IJobEscrow.setSpendingConsent, (true)));
        endow(address(wallet), ENDOWMENT);
        if (who == 2) enlist(address(wallet));
    }

    function openingOf(Terms memory t, uint256 who) private view returns (Signatures memory) {
        bytes32 digest = JobId.unwrap(escrow.jobIdOf(t));
        return Signatures(
            who == 0 ? bytes("") : sign(buyer, digest),
            who == 1 ? bytes("") : sign(sponsor, digest),
            who == 2 ? bytes("") : sign(provider, digest)
        );
    }

    // ---------------------------------------------------------------- close

    function test_AJobThatAPassClosed_KeepsItsCause() external {
        Terms memory t = usualTerms();
        JobId id = open(t);
        pass(t, 600);
        vm.assertEq(uint256(escrow.jobOf(id).closedBy), uint256(ClosedBy.Attested));
    }

    function test_ACancelledJob_KeepsItsCause() external {
        Terms memory t = usualTerms();
        vm.prank(buyer);
        escrow.cancel(t);
        vm.assertEq(uint256(escrow.jobOf(escrow.jobIdOf(t)).closedBy), uint256(ClosedBy.Cancelled));
    }

    /// @dev One event, and no call of the token or of the registry.
    function test_AClose_TellsOneThing_WhereNothingLeavesAndNothingWasStaked() external {
        Terms memory t = usualTerms();
        open(t);
        vm.recordLogs();
        pass(t, 600);
        vm.assertEq(vm.getRecordedLogs().length, uint256(1));
        t.nonce = 2;
        open(t);
        propose(t, 600);
        passDeadline(t);
        vm.recordLogs();
        finalize(t);
        vm.assertEq(vm.getRecordedLogs().length, uint256(1));
    }

    // ---------------------------------------------------------------- batches

    /// @dev Of an error without arguments nothing else is told; of a revert without data nothing at all.
    function test_ASkippedItem_TellsItsErrorAlone() external {
        vm.prank(guardian);
        escrow.pause();
        Terms memory t = usualTerms();
        Opening[] memory items = new Opening[](1);
        items[0] = Opening(t, signatures(t));
        vm.recordLogs();
        escrow.openMany(items);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs.length, uint256(1));
        (, bytes32 error_, bytes32 first, bytes32 second) =
            abi.decode(logs[0].data, (uint256, bytes32, bytes32, bytes32));
        vm.assertEq(error_, bytes32(IJobEscrow.OpeningPaused.selector));
        vm.assertEq(first, bytes32(0));
        vm.assertEq(second, bytes32(0));
    }
}
