// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Account} from "../types/Account.sol";

/// @notice An `Account` in one word, from the low bits: free 104 · locked 104 · opted in 1 · minNonce 47.
/// Packed by hand because Solidity has no uint47, and so that an account costs one load and one store a transition.
type AccountSlot is uint256;

using AccountPacking for AccountSlot global;

library AccountPacking {
    uint256 private constant LOCKED = 104;
    uint256 private constant OPTED_IN = 208;
    uint256 private constant MIN_NONCE = 209;

    function unpack(AccountSlot slot) internal pure returns (Account memory account) {
        uint256 word = AccountSlot.unwrap(slot);
        account.free = uint104(word);
        account.locked = uint104(word >> LOCKED);
        account.optedIn = (word >> OPTED_IN) & 1 == 1;
        account.minNonce = uint48(word >> MIN_NONCE);
    }

    /// @dev `minNonce` must be below 2^47: `cancelBelow`, its only writer, sees to it.
    function pack(Account memory account) internal pure returns (AccountSlot) {
        return AccountSlot.wrap(
            uint256(account.free) | uint256(account.locked) << LOCKED | (account.optedIn ? uint256(1) << OPTED_IN : 0)
                | uint256(account.minNonce) << MIN_NONCE
        );
    }
}
