// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {Attestation, Verdict} from "../../../contracts/types/Attestation.sol";
import {Job, JobState} from "../../../contracts/types/Job.sol";
import {JobId} from "../../../contracts/types/JobId.sol";
import {Opening} from "../../../contracts/types/Opening.sol";
import {SignedAttestation} from "../../../contracts/types/SignedAttestation.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Vm} from "../cheatcodes/Vm.sol";
import {Books} from "../fixture/Books.sol";
import {SigningContract} from "../fixture/SigningContract.sol";

/// @notice `batches.tree`.
contract BatchesTest is Books {
    struct Skipped {
        uint256 index;
        bytes32 error_;
        bytes32 first;
        bytes32 second;
    }

    function numbered(Terms memory t, uint48 nonce) private pure returns (Terms memory) {
        t.nonce = nonce;
        return t;
    }

    function three() private view returns (Terms[] memory jobs) {
        jobs = new Terms[](3);
        for (uint48 i; i < 3; ++i) {
            jobs[i] = numbered(usualTerms(), i + 1);
        }
    }

    function openings(Terms[] memory jobs) private view returns (Opening[] memory items) {
        items = new Opening[](jobs.length);
        for (uint256 i; i < jobs.length; ++i) {
            items[i] = Opening(jobs[i], signatures(jobs[i]));
        }
    }

    function passes(Terms[] memory jobs) private view returns (SignedAttestation[] memory items) {
        items = new SignedAttestation[](jobs.length);
        for (uint256 i; i < jobs.length; ++i) {
            Attestation memory a = statement(jobs[i], Verdict.Pass, 600, true);
            items[i] = SignedAttestation(jobs[i], a, sign(jobs[i].verifier, escrow.attestationDigest(a)));
        }
    }

    function openAll(Terms[] memory jobs) private {
        Opening[] memory items = openings(jobs);
        vm.prank(relayer);
        escrow.openMany(items);
    }

    function stateOf(Terms memory t) private view returns (JobState) {
        return escrow.jobOf(escrow.jobIdOf(t)).state;
    }

    function assertState(Terms memory t, JobState state) private view {
        vm.assertEq(uint256(stateOf(t)), uint256(state), "state");
    }

    function skipped(Terms memory t, address sender) private returns (Skipped memory) {
        Vm.Log memory log = onlyLog(IJobEscrow.JobSkipped.selector);
        vm.assertEq(log.topics[1], JobId.unwrap(escrow.jobIdOf(t)));
        vm.assertEq(log.topics[2], bytes32(uint256(uint160(sender))));
        return abi.decode(log.data, (Skipped));
    }

    // ---------------------------------------------------------------- each item is its own call

    function test_OpenMany_OpensEach_AsOpenDoes() external {
        Terms[] memory jobs = three();
        watch();

        openAll(jobs);

        for (uint256 i; i < 3; ++i) {
            assertJob(jobs[i], JobState.Open, escrow.jobOf(escrow.jobIdOf(jobs[i])).outcome, 0, 0, jobs[i].end);
            moves(buyer, -signed(escrowOf(jobs[i])), signed(escrowOf(jobs[i])));
            moves(provider, -signed(jobs[i].bond), signed(jobs[i].bond));
        }
        assertBooks(0, 0);
    }

    function test_AttestMany_PaysEach_AsAttestDoes() external {
        Terms[] memory jobs = three();
        openAll(jobs);
        SignedAttestation[] memory items = passes(jobs);
        watch();

        vm.prank(relayer);
        escrow.attestMany(items);

        uint104 gross = jobs[0].unitPrice * 600;
        uint104 fee = gross / 100;
        for (uint256 i; i < 3; ++i) {
            assertState(jobs[i], JobState.Closed);
            moves(
                buyer,
                signed(escrowOf(jobs[i])) - signed(gross) - signed(jobs[i].verifierFee),
                -signed(escrowOf(jobs[i]))
            );
            moves(provider, signed(gross) - signed(fee) + signed(jobs[i].bond), -signed(jobs[i].bond));
            moves(verifier, signed(jobs[i].verifierFee), 0);
        }
        assertBooks(0, 3 * signed(fee));
    }

    function test_OpenMany_TheSenderNeedNotHaveSigned() external {
        Terms[] memory jobs = three();
        Opening[] memory items = openings(jobs);
        for (uint256 i; i < 3; ++i) {
            items[i].signatures.buyer = "";
        }
        vm.prank(buyer);
        escrow.openMany(items);
        for (uint256 i; i < 3; ++i) {
            assertState(jobs[i], JobState.Open);
        }
    }

    function test_AttestMany_TheVerifierNeedNotHaveSigned() external {
        Terms[] memory jobs = three();
        openAll(jobs);
        SignedAttestation[] memory items = passes(jobs);
        for (uint256 i; i < 3; ++i) {
            items[i].signature = "";
        }
        vm.prank(verifier);
        escrow.attestMany(items);
        assertState(jobs[2], JobState.Closed);
    }

    function test_AttestMany_AnOwnVerifiersPass_PaysWhenTheProviderSends() external {
        Terms[] memory jobs = new Terms[](1);
        jobs[0] = ownTerms();
        openAll(jobs);
        SignedAttestation[] memory items = passes(jobs);
        vm.prank(provider);
        escrow.attestMany(items);
        assertState(jobs[0], JobState.Closed);
    }

    function test_AttestMany_AnOwnVerifiersPass_WaitsWhenAnotherSends() external {
        Terms[] memory jobs = new Terms[](1);
        jobs[0] = ownTerms();
        openAll(jobs);
        SignedAttestation[] memory items = passes(jobs);
        vm.prank(relayer);
        escrow.attestMany(items);
        assertState(jobs[0], JobState.Pending);
    }

    function test_OpenMany_OfNothing_DoesNothing() external {
        watch();
        escrow.openMany(new Opening[](0));
        escrow.attestMany(new SignedAttestation[](0));
        assertNoMoneyMoved();
    }

    // ---------------------------------------------------------------- an item that reverts

    function test_OpenMany_SkipsWhatReverts_AndSaysWhy() external {
        Terms[] memory jobs = three();
        jobs[1].openBy = uint40(START - 1);
        watch();

        openAll(jobs);

        assertState(jobs[0], JobState.Open);
        assertState(jobs[1], JobState.None);
        assertState(jobs[2], JobState.Open);
        Skipped memory why = skipped(jobs[1], relayer);
        vm.assertEq(why.index, uint256(1));
        vm.assertEq(why.error_, bytes32(IJobEscrow.TooLate.selector));
        vm.assertEq(why.first, bytes32(uint256(START)));
        vm.assertEq(why.second, bytes32(uint256(START - 1)));
    }

    function test_OpenMany_TheSameJobTwice_OpensOnce() external {
        Terms[] memory jobs = new Terms[](2);
        (jobs[0], jobs[1]) = (usualTerms(), usualTerms());
        watch();
        openAll(jobs);
        moves(buyer, -signed(escrowOf(jobs[0])), signed(escrowOf(jobs[0])));
        moves(provider, -signed(jobs[0].bond), signed(jobs[0].bond));
        assertBooks(0, 0);
        Skipped memory why = skipped(jobs[1], relayer);
        vm.assertEq(why.error_, bytes32(IJobEscrow.WrongState.selector));
        vm.assertEq(why.first, bytes32(uint256(JobState.Open)));
    }

    function test_OpenMany_ABurnerOfGas_SkipsItsOwnItemOnly() external {
        SigningContract burner = new SigningContract();
        burner.become(SigningContract.Mood.BurnsItsGas);
        endow(address(burner), ENDOWMENT);
        Terms[] memory jobs = three();
        Opening[] memory items = openings(jobs);
        items[1].terms.buyer = items[1].terms.payer = address(burner);
        items[1].signatures.buyer = "burn";
        vm.prank(relayer);
        escrow.openMany(items);
        assertState(jobs[0], JobState.Open);
        assertState(items[1].terms, JobState.None);
        assertState(jobs[2], JobState.Open);
    }

    function test_AttestMany_SkipsWhatReverts_AndSaysWhy() external {
        Terms[] memory jobs = three();
        openAll(jobs);
        SignedAttestation[] memory items = passes(jobs);
        items[0].signature = sign(relayer, escrow.attestationDigest(items[0].attestation));
        watch();
        vm.prank(relayer);
        escrow.attestMany(items);
        assertState(jobs[0], JobState.Open);
        assertState(jobs[1], JobState.Closed);
        assertState(jobs[2], JobState.Closed);
        Skipped memory why = skipped(jobs[0], relayer);
        vm.assertEq(why.index, uint256(0));
        vm.assertEq(why.error_, bytes32(IJobEscrow.NotAuthorised.selector));
        vm.assertEq(why.first, bytes32(uint256(uint160(verifier))));
        vm.assertEq(why.second, bytes32(0));
    }

    function testFuzz_Batches_MoveWhatSingleCallsWouldHave(uint8 bad, uint64 units) external {
        Terms[] memory jobs = three();
        units = uint64(bound(units, 0, 1_100)); // more than 1,000 reverts
        for (uint256 i; i < 3; ++i) {
            if ((bad >> i) & 1 == 1) jobs[i].maxFeeBps = 1;
        }
        openAll(jobs);
        SignedAttestation[] memory items = passes(jobs);
        for (uint256 i; i < 3; ++i) {
            items[i].attestation.units = units;
            items[i].signature = sign(verifier, escrow.attestationDigest(items[i].attestation));
        }
        vm.prank(relayer);
        escrow.attestMany(items);
        for (uint256 i; i < 3; ++i) {
            bool opened = (bad >> i) & 1 == 0;
            JobState want = opened ? units > 1_000 ? JobState.Open : JobState.Closed : JobState.None;
            assertState(jobs[i], want);
            // Every job that did not open opens when its reason is gone: a skip leaves nothing behind.
        }
        uint256 sum = uint256(escrow.accountOf(buyer).free) + escrow.accountOf(buyer).locked
            + escrow.accountOf(provider).free + escrow.accountOf(provider).locked + escrow.accountOf(verifier).free
            + escrow.accountOf(sponsor).free + escrow.fees();
        vm.assertEq(sum, credit.balanceOf(address(escrow)));
    }

    // ---------------------------------------------------------------- nobody but the escrow itself

    function test_TwentyBytesBehindACall_MakeNobodyElseOfItsSender() external {
        Terms memory t = usualTerms();
        Opening memory item = Opening(t, signatures(t));
        item.signatures.buyer = "";
        bytes memory call_ =
            bytes.concat(abi.encodeCall(IJobEscrow.open, (item.terms, item.signatures)), bytes20(buyer));
        vm.prank(relayer);
        (bool done, bytes memory answer) = address(escrow).call(call_);
        vm.assertFalse(done);
        vm.assertEq(keccak256(answer), keccak256(abi.encodeWithSelector(IJobEscrow.NotAuthorised.selector, buyer)));
    }

    function test_APartyThatIsTheEscrow_IsNobody() external {
        Terms[] memory jobs = new Terms[](1);
        jobs[0] = usualTerms();
        Opening[] memory items = openings(jobs);
        items[0].terms.buyer = items[0].terms.payer = address(escrow);
        items[0].signatures.buyer = "";
        vm.prank(relayer);
        escrow.openMany(items);
        assertState(items[0].terms, JobState.None);
    }

    // ---------------------------------------------------------------- while paused

    function test_WhilePaused_OpenManySkipsAll_AndAttestManyPays() external {
        Terms[] memory jobs = three();
        openAll(jobs);
        vm.prank(guardian);
        escrow.pause();
        Terms[] memory more = new Terms[](1);
        more[0] = numbered(usualTerms(), 9);
        openAll(more);
        assertState(more[0], JobState.None);
        SignedAttestation[] memory items = passes(jobs);
        vm.prank(relayer);
        escrow.attestMany(items);
        assertState(jobs[0], JobState.Closed);
    }
}
