// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Payout} from "../../../contracts/libraries/Payout.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {TermsInHand} from "../../../contracts/types/TermsRef.sol";
import {Test} from "../cheatcodes/Test.sol";

/// @notice `Payout` takes terms from calldata in hand: this hands them over.
contract Splitter {
    function split(Terms calldata t, uint16 feeBps, Payout.Ending calldata ending)
        external
        pure
        returns (Payout.Split memory)
    {
        return Payout.split(TermsInHand.take(t), feeBps, ending);
    }

    function escrowOf(Terms calldata t) external pure returns (uint104) {
        return Payout.escrowOf(TermsInHand.take(t));
    }

    function undeliveredBondDown(Terms calldata t, uint64 accepted) external pure returns (uint104) {
        return Payout.undeliveredBondDown(TermsInHand.take(t), accepted);
    }
}

/// @notice `payout.tree`. The split of money, for any terms that can open and any ending that a transition can ask for.
contract PayoutTest is Test {
    Splitter private immutable SPLITTER = new Splitter();

    struct Seeds {
        uint104 unitPrice;
        uint64 maxUnits;
        uint64 units;
        uint104 verifierFee;
        uint104 arbiterFee;
        uint104 bond;
        uint104 slash;
        uint16 feeBps;
        uint16 costBps;
        bool verifierEarned;
        bool arbiterEarned;
    }

    function termsOf(Seeds memory seeds) private pure returns (Terms memory t) {
        t.maxUnits = uint64(bound(seeds.maxUnits, 1, type(uint64).max));
        t.unitPrice = uint104(bound(seeds.unitPrice, 0, type(uint104).max / t.maxUnits));
        uint256 left = type(uint104).max - uint256(t.unitPrice) * t.maxUnits;
        t.verifierFee = uint104(bound(seeds.verifierFee, 0, left));
        t.arbiterFee = uint104(bound(seeds.arbiterFee, 0, left - t.verifierFee));
        t.bond = uint104(bound(seeds.bond, t.arbiterFee, type(uint104).max));
    }

    function endingOf(Seeds memory seeds, Terms memory t) private pure returns (Payout.Ending memory ending) {
        ending.units = uint64(bound(seeds.units, 0, t.maxUnits));
        ending.verifierEarned = seeds.verifierEarned;
        ending.arbiterEarned = seeds.arbiterEarned;
        ending.costBps = uint16(bound(seeds.costBps, 0, 10_000));
        ending.slashWanted = uint104(bound(seeds.slash, 0, t.bond));
    }

    function testFuzz_Split_AddsUpToEscrowAndBond(Seeds memory seeds) external view {
        Terms memory t = termsOf(seeds);
        Payout.Ending memory ending = endingOf(seeds, t);
        Payout.Split memory s = SPLITTER.split(t, uint16(bound(seeds.feeBps, 0, 500)), ending);

        vm.assertEq(
            uint256(s.providerPaid) + s.fee + s.refund + s.verifierPaid + s.arbiterFromEscrow, SPLITTER.escrowOf(t)
        );
        vm.assertEq(uint256(s.arbiterFromBond) + s.bondReturned + s.bondToBuyer + s.bondToTreasury, t.bond);
    }

    function testFuzz_Split_RoundsFeesAndSharesDown(Seeds memory seeds) external view {
        Terms memory t = termsOf(seeds);
        Payout.Ending memory ending = endingOf(seeds, t);
        uint16 feeBps = uint16(bound(seeds.feeBps, 0, 500));
        Payout.Split memory s = SPLITTER.split(t, feeBps, ending);
        uint256 gross = uint256(t.unitPrice) * ending.units;

        vm.assertEq(uint256(s.providerPaid) + s.fee, gross);
        vm.assertLe(uint256(s.fee) * 10_000, gross * feeBps);
        vm.assertLt(gross * feeBps, (uint256(s.fee) + 1) * 10_000);
        if (ending.arbiterEarned) {
            vm.assertEq(uint256(s.arbiterFromBond) + s.arbiterFromEscrow, t.arbiterFee);
            vm.assertLe(uint256(s.arbiterFromBond) * 10_000, uint256(t.arbiterFee) * ending.costBps);
        } else {
            vm.assertEq(uint256(s.arbiterFromBond) + s.arbiterFromEscrow, 0);
        }
    }

    function testFuzz_Split_CompensatesTheBuyerFirst_UpToWhatWasNotDelivered(Seeds memory seeds) external view {
        Terms memory t = termsOf(seeds);
        Payout.Ending memory ending = endingOf(seeds, t);
        Payout.Split memory s = SPLITTER.split(t, 100, ending);
        uint256 undelivered = uint256(t.unitPrice) * (t.maxUnits - ending.units);

        vm.assertLe(s.bondToBuyer, undelivered);
        if (s.bondToTreasury > 0) vm.assertEq(uint256(s.bondToBuyer), undelivered);
        vm.assertLe(uint256(s.bondToBuyer) + s.bondToTreasury, ending.slashWanted);
    }

    function testFuzz_Split_RefundsWhatNobodyEarned(Seeds memory seeds) external view {
        Terms memory t = termsOf(seeds);
        Payout.Ending memory ending;
        Payout.Split memory s = SPLITTER.split(t, uint16(bound(seeds.feeBps, 0, 500)), ending);

        vm.assertEq(uint256(s.refund), SPLITTER.escrowOf(t));
        vm.assertEq(uint256(s.bondReturned), t.bond);
    }

    function testFuzz_UndeliveredBond_IsTheShareOfTheBond_RoundedDown(Seeds memory seeds) external view {
        Terms memory t = termsOf(seeds);
        uint64 accepted = uint64(bound(seeds.units, 0, t.maxUnits));
        uint256 slash = SPLITTER.undeliveredBondDown(t, accepted);
        uint256 exact = uint256(t.bond) * (t.maxUnits - accepted);

        vm.assertLe(slash * t.maxUnits, exact);
        vm.assertLt(exact, (slash + 1) * t.maxUnits);
        vm.assertLe(slash, t.bond);
    }

    function testFuzz_EscrowOf_RevertWhen_ItDoesNotFit(uint104 price, uint64 units, uint104 fee) external {
        Terms memory t;
        t.unitPrice = price;
        t.maxUnits = units;
        t.verifierFee = fee;
        t.arbiterFee = fee;
        uint256 exact = uint256(price) * units + 2 * uint256(fee);
        if (exact > type(uint104).max) {
            vm.expectRevert(abi.encodeWithSelector(Payout.AmountTooLarge.selector, exact, type(uint104).max));
            SPLITTER.escrowOf(t);
        } else {
            vm.assertEq(uint256(SPLITTER.escrowOf(t)), exact);
        }
    }
}
