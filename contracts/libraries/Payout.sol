// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ClosedBy} from "../types/Job.sol";
import {TermsRef} from "../types/TermsRef.sol";

/// @notice Who gets what when a job closes. Pure arithmetic: fees and slashes round down, refunds and net pay are subtractions, so that
/// each split adds up to exactly what was escrowed and locked.
library Payout {
    uint256 internal constant BPS = 10_000;

    /// @notice How a job ended, as far as money is concerned.
    struct Ending {
        /// Which transition closes the job; without effect on the money.
        ClosedBy cause;
        /// Units payable, at most the terms' maximum.
        uint64 units;
        /// The verifier's pass or fail reached the chain.
        bool verifierEarned;
        /// The arbiter ruled.
        bool arbiterEarned;
        /// Share of the arbiter's fee that the bond bears.
        uint16 costBps;
        /// The provider was at fault; without effect on the money.
        bool failed;
        /// A ruling went against the buyer; without effect on the money.
        bool buyerLost;
        /// Credits to take off the bond, as far as it reaches after the arbiter's share.
        uint104 slashWanted;
    }

    /// @notice Legs of a close. The first five add up to the escrow; the bond's four to the bond.
    struct Split {
        uint104 providerPaid;
        uint104 fee;
        uint104 refund;
        uint104 verifierPaid;
        uint104 arbiterFromEscrow;
        uint104 arbiterFromBond;
        uint104 bondReturned;
        uint104 bondToBuyer;
        uint104 bondToTreasury;
    }

    error AmountTooLarge(uint256 amount, uint256 limit);

    /// @notice Price of `units`. Exact.
    /// @dev Fits without a check for any units of opened terms, as `escrowOf` checked the maximum.
    function chargeOf(TermsRef terms, uint64 units) internal pure returns (uint104) {
        unchecked {
            return uint104(uint256(terms.unitPrice()) * units);
        }
    }

    /// @notice What the payer escrows: the highest charge and both fees. Exact; reverts beyond 2^104 − 1.
    function escrowOf(TermsRef terms) internal pure returns (uint104) {
        uint256 escrow;
        unchecked {
            escrow = uint256(terms.unitPrice()) * terms.maxUnits() + terms.verifierFee() + terms.arbiterFee();
        }
        if (escrow > type(uint104).max) revert AmountTooLarge(escrow, type(uint104).max);
        return uint104(escrow);
    }

    /// @notice ⌊value · shareBps / 10,000⌋.
    function shareDown(uint104 value, uint24 shareBps) internal pure returns (uint256) {
        unchecked {
            return uint256(value) * shareBps / BPS;
        }
    }

    /// @notice What a fail that stood takes: ⌊bond · (maxUnits − accepted) / maxUnits⌋, the undelivered part.
    function undeliveredBondDown(TermsRef terms, uint64 accepted) internal pure returns (uint104) {
        return uint104(uint256(terms.bond()) * (terms.maxUnits() - accepted) / terms.maxUnits());
    }

    /// @notice The legs of a close of terms that were opened.
    /// @dev Unchecked, as every subtraction is of a part: units ≤ maxUnits, shares ≤ 10,000 and bond ≥ arbiterFee were checked, and the escrow fits.
    function split(TermsRef terms, uint16 feeBps, Ending memory ending) internal pure returns (Split memory s) {
        unchecked {
            uint104 gross = chargeOf(terms, ending.units);
            uint104 fee = uint104(shareDown(gross, feeBps));
            s.fee = fee;
            s.providerPaid = gross - fee;
            // Of the highest charge and both fees, what nobody earned.
            uint256 refund = uint256(terms.unitPrice()) * terms.maxUnits() - gross;
            if (ending.verifierEarned) s.verifierPaid = terms.verifierFee();
            else refund += terms.verifierFee();
            uint104 bondLeft = terms.bond();
            if (ending.arbiterEarned) {
                s.arbiterFromBond = uint104(shareDown(terms.arbiterFee(), ending.costBps));
                s.arbiterFromEscrow = terms.arbiterFee() - s.arbiterFromBond;
                bondLeft -= s.arbiterFromBond;
                refund += s.arbiterFromBond;
            } else {
                refund += terms.arbiterFee();
            }
            s.refund = uint104(refund);
            if (ending.slashWanted > 0) {
                uint104 slash = _min(ending.slashWanted, bondLeft);
                bondLeft -= slash;
                s.bondToBuyer = _min(slash, chargeOf(terms, terms.maxUnits() - ending.units));
                s.bondToTreasury = slash - s.bondToBuyer;
            }
            s.bondReturned = bondLeft;
        }
    }

    function _min(uint104 a, uint104 b) private pure returns (uint104) {
        return a < b ? a : b;
    }
}
