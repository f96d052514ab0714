// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ClosedBy, Outcome} from "../types/Job.sol";

/// @notice What the credit scores learn of a job when it closes, in one word, from the low bits:
/// fee 104 · undelivered 104 · qualityBps 16 · cause 3 · outcome 2 · failed 1 · buyerLost 1.
type ClosedJob is uint256;

using ClosedJobPacking for ClosedJob global;

library ClosedJobPacking {
    uint256 private constant UNDELIVERED = 104;
    uint256 private constant QUALITY = 208;
    uint256 private constant CAUSE = 224;
    uint256 private constant OUTCOME = 227;
    uint256 private constant FAILED = 229;
    uint256 private constant BUYER_LOST = 230;

    /// @param fee_ Protocol fee taken at this close, in atoms.
    /// @param undelivered_ Price of what the job was for and did not pay: unit price · (maximum − settled units), in atoms.
    /// @param qualityBps_ Share of service levels met: full where no final attestation said otherwise.
    /// @param cause_ Which transition closed it.
    /// @param outcome_ What it rested on.
    /// @param failed_ The provider was at fault: a fail by an independent verifier stood, a ruling slashed it, or nothing was accepted by the end.
    /// @param buyerLost_ A ruling went against the buyer: it slashed nothing and laid none of the cost on the bond, after a claim or after a fail
    /// that the buyer or payer had signed itself.
    function pack(
        uint104 fee_,
        uint104 undelivered_,
        uint16 qualityBps_,
        ClosedBy cause_,
        Outcome outcome_,
        bool failed_,
        bool buyerLost_
    ) internal pure returns (ClosedJob) {
        return ClosedJob.wrap(
            uint256(fee_) | uint256(undelivered_) << UNDELIVERED | uint256(qualityBps_) << QUALITY | uint256(cause_)
                << CAUSE | uint256(outcome_) << OUTCOME | (failed_ ? uint256(1) << FAILED : 0)
                | (buyerLost_ ? uint256(1) << BUYER_LOST : 0)
        );
    }

    function fee(ClosedJob closed) internal pure returns (uint256) {
        return uint104(ClosedJob.unwrap(closed));
    }

    function undelivered(ClosedJob closed) internal pure returns (uint256) {
        return uint104(ClosedJob.unwrap(closed) >> UNDELIVERED);
    }

    /// @notice At most 10,000, whatever the word says. What a fail says of quality does not count: it was overruled, or costs more than quality.
    function qualityBps(ClosedJob closed) internal pure returns (uint256 share) {
        if (_ends(closed) >> 3 != uint256(Outcome.Pass)) return 10_000;
        share = uint16(ClosedJob.unwrap(closed) >> QUALITY);
        if (share > 10_000) share = 10_000;
    }

    function failed(ClosedJob closed) internal pure returns (bool) {
        return (ClosedJob.unwrap(closed) >> FAILED) & 1 == 1;
    }

    function buyerLost(ClosedJob closed) internal pure returns (bool) {
        return (ClosedJob.unwrap(closed) >> BUYER_LOST) & 1 == 1;
    }

    function ruled(ClosedJob closed) internal pure returns (bool) {
        return _ends(closed) & 7 == uint256(ClosedBy.Ruled);
    }

    /// @notice Settled by both parties after a fail, which earns nobody anything.
    function agreedAfterFail(ClosedJob closed) internal pure returns (bool) {
        return _ends(closed) == uint256(ClosedBy.Agreed) | uint256(Outcome.Fail) << 3;
    }

    /// @notice A verifier's pass was disputed, and nobody ruled.
    function passDenied(ClosedJob closed) internal pure returns (bool) {
        return _ends(closed) == uint256(ClosedBy.DisputedByDefault) | uint256(Outcome.Pass) << 3;
    }

    /// @dev cause 3 · outcome 2.
    function _ends(ClosedJob closed) private pure returns (uint256) {
        return (ClosedJob.unwrap(closed) >> CAUSE) & 31;
    }
}
