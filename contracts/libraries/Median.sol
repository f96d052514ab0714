// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice The lower median: of an even number of values the lower of the two in the middle. An order statistic, so nobody with a single-peaked
/// preference gains by misstating its value (Moulin, *On strategy-proofness and single peakedness*, 1980).
library Median {
    /// @dev Sorts in place; for panels of a few dozen. `values` must not be empty.
    function lower(uint256[] memory values) internal pure returns (uint256) {
        for (uint256 i = 1; i < values.length; ++i) {
            uint256 value = values[i];
            uint256 at = i;
            for (; at > 0 && values[at - 1] > value; --at) {
                values[at] = values[at - 1];
            }
            values[at] = value;
        }
        return values[(values.length - 1) / 2];
    }
}
