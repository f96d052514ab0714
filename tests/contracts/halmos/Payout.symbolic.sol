// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Payout} from "../../../contracts/libraries/Payout.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {TermsInHand, TermsRef} from "../../../contracts/types/TermsRef.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice For all terms that can be open and every ending that a transition asks for, in the full width of every number.
/// Of products and quotients only what is written in `given` is used: solvers do not multiply 104 bits by 64, and the fuzz tests of the split do.
contract PayoutSymbolic is Symbolic {
    using Payout for TermsRef;

    /// @dev What an opening has checked; that a product is as wide as its factors together; that the parts of a charge add up to it (distributivity); and that a share is no more than the whole.
    function given(Terms calldata t, uint64 units, uint16 feeBps, uint16 costBps)
        private
        pure
        returns (TermsRef terms, uint256 escrow)
    {
        vm.assume(units <= t.maxUnits && t.bond >= t.arbiterFee && feeBps <= 500 && costBps <= 10_000);
        terms = TermsInHand.take(t);
        escrow = terms.escrowOf(); // reverts for terms that cannot be opened
        unchecked {
            // A product of 104 and 64 bits.
            vm.assume(uint256(t.unitPrice) * t.maxUnits < 2 ** 168);
            uint256 paid = terms.chargeOf(units);
            uint256 left = terms.chargeOf(t.maxUnits - units);
            vm.assume(paid + left == terms.chargeOf(t.maxUnits));
            vm.assume(uint256(t.unitPrice) * units == paid);
            vm.assume(Payout.shareDown(uint104(paid), feeBps) <= paid);
            vm.assume(Payout.shareDown(t.arbiterFee, costBps) <= t.arbiterFee);
        }
    }

    /// @dev Leg by leg, so that the solver adds up two amounts at a time.
    function check_Split_ConservesTheEscrow(
        Terms calldata t,
        uint16 feeBps,
        uint16 costBps,
        uint64 units,
        bool verifierEarned,
        bool arbiterEarned
    ) external pure {
        (TermsRef terms, uint256 escrow) = given(t, units, feeBps, costBps);
        Payout.Ending memory ending;
        ending.units = units;
        ending.verifierEarned = verifierEarned;
        ending.arbiterEarned = arbiterEarned;
        ending.costBps = costBps;
        Payout.Split memory s = terms.split(feeBps, ending);
        unchecked {
            assert(uint256(t.unitPrice) * t.maxUnits <= escrow);
            uint256 paid = terms.chargeOf(units);
            uint256 left = terms.chargeOf(t.maxUnits - units);
            assert(uint256(s.providerPaid) + s.fee == paid);
            assert(s.verifierPaid == (verifierEarned ? t.verifierFee : 0));
            assert(uint256(s.arbiterFromEscrow) + s.arbiterFromBond == (arbiterEarned ? t.arbiterFee : 0));
            uint256 unearned = verifierEarned ? 0 : t.verifierFee;
            uint256 borne = arbiterEarned ? s.arbiterFromBond : t.arbiterFee;
            assert(s.refund == left + unearned + borne);
            assert(uint256(s.providerPaid) + s.fee + s.refund + s.verifierPaid + s.arbiterFromEscrow == escrow);
        }
    }

    function check_Split_ConservesTheBond(
        Terms calldata t,
        uint16 costBps,
        uint64 units,
        bool arbiterEarned,
        uint104 slash
    ) external pure {
        vm.assume(slash <= t.bond);
        (TermsRef terms,) = given(t, units, 0, costBps);
        Payout.Ending memory ending;
        ending.units = units;
        ending.arbiterEarned = arbiterEarned;
        ending.costBps = costBps;
        ending.slashWanted = slash;
        Payout.Split memory s = terms.split(0, ending);
        unchecked {
            uint256 sum = uint256(s.arbiterFromBond) + s.bondReturned + s.bondToBuyer + s.bondToTreasury;
            assert(sum == t.bond);
            assert(uint256(s.bondToBuyer) + s.bondToTreasury <= slash);
            assert(s.bondToBuyer <= terms.chargeOf(t.maxUnits - units));
            assert(s.arbiterFromBond <= t.arbiterFee);
        }
    }
}
