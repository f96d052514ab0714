// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Test} from "../cheatcodes/Test.sol";

/// @notice What every symbolic test stands on. Halmos runs a `check_…` function once for all arguments, and looks for some that make an `assert` fail.
abstract contract Symbolic is Test {
    /// @dev Bits from `low`, `size` of them.
    function mask(uint256 low, uint256 size) internal pure returns (uint256) {
        return ((uint256(1) << size) - 1) << low;
    }

    /// @dev Two words differ in no bit but those of `field`.
    function sameBut(uint256 a, uint256 b, uint256 field) internal pure returns (bool) {
        return (a ^ b) & ~field == 0;
    }
}
