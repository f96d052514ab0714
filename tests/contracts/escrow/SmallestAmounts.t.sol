// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {JobId} from "../../../contracts/types/JobId.sol";
import {ScorePacking} from "../../../contracts/libraries/ScoreSlot.sol";
import {Attestation, Verdict} from "../../../contracts/types/Attestation.sol";
import {Signatures} from "../../../contracts/types/Signatures.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {Books} from "../fixture/Books.sol";
import {Vm} from "../cheatcodes/Vm.sol";

/// @notice `smallest_amounts.tree`: one atom, one unit or one weight, where "some" might be taken for "more than one". Each was found by a mutant that no other test noticed.
contract SmallestAmountsTest is Books {
    uint8 private constant BUYER = 0;
    uint8 private constant PROVIDER = 1;
    uint256 private constant STANDINGS_SLOT = 2;
    uint256 private constant WEIGHT = 1e12;

    /// @dev One unit for 100 atoms, of which one is the fee, and one atom for the verifier.
    function tinyTerms() private view returns (Terms memory t) {
        t = usualTerms();
        (t.unitPrice, t.minUnits, t.maxUnits) = (100, 1, 1);
        (t.verifierFee, t.arbiterFee, t.bond) = (1, 0, 10_000);
    }

    function behaviourOf(address account) private view returns (uint256) {
        return scores.standingOf(account, BUYER).behaviourDebit;
    }

    // ---------------------------------------------------------------- money

    function test_AFeeOfOneAtom_IsKept() external {
        Terms memory t = tinyTerms();
        open(t);
        pass(t, 1);
        vm.assertEq(uint256(escrow.fees()), uint256(1));
        vm.assertEq(uint256(escrow.accountOf(verifier).free), uint256(1));
    }

    function test_ASlashOfOneAtom_ReachesTheTreasury() external {
        Terms memory t = tinyTerms();
        open(t);
        propose(t, 1);
        disputeAs(buyer, t);
        rule(t, ruling(t, 1, 1, 0));
        vm.assertEq(uint256(escrow.fees()), uint256(2)); // the fee, and what the buyer did not miss
        vm.assertEq(uint256(escrow.accountOf(provider).free), ENDOWMENT + 98);
    }

    function test_OneAtomBeyondWholeUnitsOfTheReserve_TakesOneMore() external {
        Terms memory t = tinyTerms();
        t.unitPrice = uint104(credit.scale());
        t.bond = t.unitPrice;
        Signatures memory given = signatures(t);
        reserve.mint(buyer, 2);
        vm.prank(buyer);
        reserve.approve(address(escrow), 2);
        vm.prank(relayer);
        escrow.openFromReserve(t, given, 0, 0, 0, 0);
        vm.assertEq(reserve.balanceOf(buyer), uint256(0));
        vm.assertEq(uint256(escrow.accountOf(buyer).free), ENDOWMENT + credit.scale() - 1);
    }

    function test_OneAcceptedUnit_EarnsTheVerifierItsFee() external {
        Terms memory t = usualTerms();
        open(t);
        reading(t, 1);
        passDeadline(t);
        reclaim(t);
        vm.assertEq(uint256(escrow.accountOf(verifier).free), t.verifierFee);
    }

    function test_AShareOfOneAtom_LeavesForTheWallet_WhenAPassPays() external {
        Terms memory t = tinyTerms();
        open(t);
        Attestation memory a = statement(t, Verdict.Pass, 1, true);
        vm.prank(verifier);
        escrow.attestToWallet(t, a, "");
        vm.assertEq(credit.balanceOf(verifier), uint256(1));
        vm.assertEq(uint256(escrow.accountOf(verifier).free), uint256(0));
    }

    function test_AShareOfOneAtom_LeavesForTheWallet_WhenAJobIsFinalized() external {
        Terms memory t = tinyTerms();
        t.passWindow = 1 hours;
        open(t);
        pass(t, 1);
        passDeadline(t);
        vm.prank(verifier);
        escrow.finalizeToWallet(t);
        vm.assertEq(credit.balanceOf(verifier), uint256(1));
        vm.assertEq(uint256(escrow.accountOf(verifier).free), uint256(0));
    }

    // ---------------------------------------------------------------- scores

    function denied(Terms memory t) private {
        open(t);
        propose(t, 1);
        disputeAs(buyer, t);
        rule(t, ruling(t, 1, 0, 0));
    }

    function test_AFeeOfOneAtom_ThatWasDenied_CostsOneWeight() external {
        denied(tinyTerms());
        vm.assertEq(behaviourOf(buyer), WEIGHT);
    }

    function test_AFeeOfOneAtom_ThatWasDeniedOfASponsorsMoney_CostsTheBuyerOneWeight() external {
        Terms memory t = tinyTerms();
        t.payer = sponsor;
        denied(t);
        vm.assertEq(behaviourOf(buyer), WEIGHT);
        vm.assertEq(behaviourOf(sponsor), uint256(0));
    }

    function test_OneAtomBeyondAWeight_CostsOneMore() external {
        Terms memory t = tinyTerms();
        t.unitPrice = uint104(100 * (WEIGHT + 1));
        t.bond = t.unitPrice;
        denied(t);
        vm.assertEq(behaviourOf(buyer), 2 * WEIGHT);
    }

    /// @dev Whoever pays vouches, not the buyer whose standing it is.
    function test_ABuyerOfHighStanding_LendsItToNoSponsoredTrade() external {
        bytes32 slot = keccak256(abi.encode(uint256(uint160(buyer)) | uint256(BUYER) << 160, STANDINGS_SLOT));
        vm.store(address(escrow), slot, bytes32(ScorePacking.epochOf(block.timestamp) << 128 | 1_000e6));
        Terms memory t = sponsoredTerms();
        open(t);
        propose(t, 600);
        disputeAs(buyer, t);
        rule(t, ruling(t, 600, 0, 0));
        vm.assertGt(behaviourOf(buyer), uint256(0));
        uint256 fee = uint256(t.unitPrice) * 600 / 100;
        vm.assertEq(uint256(scores.standingOf(provider, PROVIDER).credit), fee / 8 / WEIGHT * WEIGHT);
    }

    function test_ARulingOnTheBuyersOwnPass_CostsItNothing() external {
        Terms memory t = ownTerms();
        open(t);
        pass(t, 600);
        disputeAs(provider, t);
        rule(t, ruling(t, 600, 0, 0));
        vm.assertEq(behaviourOf(buyer), uint256(0));
    }

    // ---------------------------------------------------------------- what is told

    function test_AnOpening_TellsTheTermsAndThreeWords_AndNamesTheBuyerNotThePayer() external {
        Terms memory t = sponsoredTerms();
        watch();
        JobId id = open(t);
        Vm.Log memory log = onlyLog(IJobEscrow.JobOpened.selector);
        vm.assertEq(log.topics.length, uint256(4));
        vm.assertEq(log.topics[1], JobId.unwrap(id));
        vm.assertEq(log.topics[2], bytes32(uint256(uint160(buyer))));
        vm.assertEq(log.topics[3], bytes32(uint256(uint160(provider))));
        vm.assertEq(keccak256(log.data), keccak256(abi.encode(t, uint256(100), uint256(escrowOf(t)), uint256(0))));
    }
}
