// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {IVerifierCommittee} from "../../../contracts/interfaces/IVerifierCommittee.sol";
import {Attestation, Verdict} from "../../../contracts/types/Attestation.sol";
import {Ruling} from "../../../contracts/types/Ruling.sol";
import {Settlement} from "../../../contracts/types/Settlement.sol";
import {Signatures} from "../../../contracts/types/Signatures.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Committee} from "../fixture/Committee.sol";

/// @notice `usual_calls.tree`. Gas of whole transactions, calldata included, as SPEC.md quotes it: for accounts that have traded before. A call that has become
/// dearer fails here; then SPEC.md and the figure change together, or the code does.
/// forge-config: default.isolate = true
contract UsualCallsTest is Committee {
    uint48 private next = 100;

    function setUp() public override {
        super.setUp();
        // Everybody's slots hold something already, and so do the fees.
        endow(verifier, 1);
        endow(arbiter, 1);
        Terms memory t = fresh(usualTerms());
        open(t);
        pass(t, 600);
    }

    function fresh(Terms memory t) private returns (Terms memory) {
        t.nonce = next++;
        return t;
    }

    function assertGas(string memory what, uint256 limit) private view {
        uint256 used = vm.lastCallGas().gasTotalUsed;
        vm.assertLe(used, limit, string.concat(what, " used ", vm.toString(used)));
        vm.assertGe(used, limit - limit / 20, string.concat(what, " used only ", vm.toString(used)));
    }

    function test_Deposit() external {
        fund(relayer, 2e18);
        vm.prank(relayer);
        credit.approve(address(escrow), 2e18);
        vm.prank(relayer);
        escrow.deposit(buyer, 1e18);
        assertGas("deposit", 51_500);
    }

    function test_Withdraw() external {
        fund(buyer, 1);
        vm.prank(buyer);
        escrow.withdraw(buyer, 1e18);
        assertGas("withdraw", 46_000);
    }

    function test_Open_SignedByTheProvider_SentByTheBuyer() external {
        Terms memory t = fresh(usualTerms());
        Signatures memory given = signatures(t);
        given.buyer = "";
        vm.prank(buyer);
        escrow.open(t, given);
        assertGas("open", 85_000);
    }

    function test_Open_Relayed() external {
        Terms memory t = fresh(usualTerms());
        Signatures memory given = signatures(t);
        vm.prank(relayer);
        escrow.open(t, given);
        assertGas("open, relayed", 90_000);
    }

    function test_OpenWithPermit() external {
        Terms memory t = fresh(usualTerms());
        fund(buyer, 2 * uint256(escrowOf(t)));
        Signatures memory given = signatures(t);
        given.buyer = "";
        (uint8 v, bytes32 r, bytes32 s) = permit(credit, buyer, address(escrow), escrowOf(t));
        vm.prank(buyer);
        escrow.openWithPermit(t, given, block.timestamp, v, r, s);
        assertGas("openWithPermit", 134_500);
    }

    function attested(Terms memory t, Attestation memory a, bytes memory signature) private {
        vm.prank(relayer);
        escrow.attest(t, a, signature);
    }

    function test_Attest_PassThatPays() external {
        Terms memory t = fresh(usualTerms());
        open(t);
        pass(t, 600);
        assertGas("attest, pass that pays", 87_000);
    }

    function attestedByACommittee(uint256 size) private {
        (IVerifierCommittee committee,) = committeeOf(2, 3, size);
        endow(address(committee), 1);
        Terms memory t = fresh(usualTerms());
        t.verifier = address(committee);
        open(t);
        vm.roll(block.number + 1);
        Attestation memory a = statement(t, Verdict.Pass, 600, true);
        address[] memory panel = committee.panelOf(a.job);
        if (panel[0] > panel[1]) (panel[0], panel[1]) = (panel[1], panel[0]);
        attested(t, a, committeeSignature(a, panel, 0, 2));
    }

    function test_Attest_PassThatPays_ByACommitteeOfTwoOfThree() external {
        attestedByACommittee(3);
        assertGas("attest, committee", 110_500);
    }

    function test_Attest_PassThatPays_ByTwoOfThreeDrawnFromTwelve() external {
        attestedByACommittee(12);
        assertGas("attest, drawn panel", 112_500);
    }

    function test_Attest_Reading() external {
        Terms memory t = fresh(ownTerms());
        open(t);
        reading(t, 100);
        reading(t, 200);
        assertGas("attest, reading", 48_500);
    }

    function test_Attest_Fail() external {
        Terms memory t = fresh(usualTerms());
        open(t);
        fail(t);
        assertGas("attest, fail", 48_500);
    }

    function test_Propose() external {
        Terms memory t = fresh(usualTerms());
        open(t);
        propose(t, 600);
        assertGas("propose", 39_000);
    }

    function test_Finalize() external {
        Terms memory t = fresh(usualTerms());
        open(t);
        propose(t, 600);
        passDeadline(t);
        finalize(t);
        assertGas("finalize", 73_500);
    }

    function test_Dispute() external {
        Terms memory t = fresh(usualTerms());
        open(t);
        propose(t, 600);
        disputeAs(buyer, t);
        assertGas("dispute", 36_000);
    }

    function test_Rule() external {
        Terms memory t = fresh(usualTerms());
        openDisputed(t);
        Ruling memory r = ruling(t, 600, 0, 0);
        rule(t, r);
        assertGas("rule", 88_000);
    }

    function test_Agree() external {
        Terms memory t = fresh(usualTerms());
        open(t);
        Settlement memory s = settlement(t, 600);
        Signatures memory given = settlementSignatures(t, s, false);
        given.buyer = "";
        vm.prank(buyer);
        escrow.agree(t, s, given);
        assertGas("agree", 80_500);
    }

    function test_Reclaim() external {
        Terms memory t = fresh(usualTerms());
        open(t);
        passDeadline(t);
        reclaim(t);
        assertGas("reclaim", 65_000);
    }

    function test_Cancel() external {
        Terms memory t = fresh(usualTerms());
        vm.prank(buyer);
        escrow.cancel(t);
        assertGas("cancel", 53_500);
    }
}
