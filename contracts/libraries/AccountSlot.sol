// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Account} from "../types/Account.sol";

/// @notice An `Account` in one word, from the low bits: free 104 · locked 104 · opted in 1 · minNonce 47.
/// Packed by hand because Solidity has no uint47, and so that an account costs one load and one store a transition, without a copy in memory.
/// Movements are checked: free and locked neither fall below zero nor run into their neighbours.
type AccountSlot is uint256;

using AccountPacking for AccountSlot global;

library AccountPacking {
    uint256 private constant LOCKED = 104;
    uint256 private constant OPTED_IN = 208;
    uint256 private constant MIN_NONCE = 209;

    // ---------------------------------------------------------------- fields

    function free(AccountSlot slot) internal pure returns (uint104) {
        return uint104(AccountSlot.unwrap(slot));
    }

    function locked(AccountSlot slot) internal pure returns (uint104) {
        return uint104(AccountSlot.unwrap(slot) >> LOCKED);
    }

    function optedIn(AccountSlot slot) internal pure returns (bool) {
        return (AccountSlot.unwrap(slot) >> OPTED_IN) & 1 == 1;
    }

    function minNonce(AccountSlot slot) internal pure returns (uint48) {
        return uint48(AccountSlot.unwrap(slot) >> MIN_NONCE);
    }

    // ---------------------------------------------------------------- movements

    /// @notice free + amount.
    function plusFree(AccountSlot slot, uint104 amount) internal pure returns (AccountSlot) {
        unchecked {
            AccountSlot sum = AccountSlot.wrap(AccountSlot.unwrap(slot) + amount);
            _require(sum.free() >= amount);
            return sum;
        }
    }

    /// @notice free − amount.
    function minusFree(AccountSlot slot, uint104 amount) internal pure returns (AccountSlot) {
        _require(slot.free() >= amount);
        unchecked {
            return AccountSlot.wrap(AccountSlot.unwrap(slot) - amount);
        }
    }

    /// @notice locked + amount.
    function plusLocked(AccountSlot slot, uint104 amount) internal pure returns (AccountSlot) {
        unchecked {
            AccountSlot sum = AccountSlot.wrap(AccountSlot.unwrap(slot) + (uint256(amount) << LOCKED));
            _require(sum.locked() >= amount);
            return sum;
        }
    }

    /// @notice locked − amount.
    function minusLocked(AccountSlot slot, uint104 amount) internal pure returns (AccountSlot) {
        _require(slot.locked() >= amount);
        unchecked {
            return AccountSlot.wrap(AccountSlot.unwrap(slot) - (uint256(amount) << LOCKED));
        }
    }

    /// @dev Panics as checked arithmetic does.
    function _require(bool fits) private pure {
        if (!fits) {
            assembly ("memory-safe") {
                mstore(0x00, shl(224, 0x4e487b71))
                mstore(0x04, 0x11)
                revert(0x00, 0x24)
            }
        }
    }

    // ---------------------------------------------------------------- whole

    function unpack(AccountSlot slot) internal pure returns (Account memory account) {
        account.free = slot.free();
        account.locked = slot.locked();
        account.optedIn = slot.optedIn();
        account.minNonce = slot.minNonce();
    }

    /// @dev `minNonce` must be below 2^47: `cancelBelow`, its only writer, sees to it.
    function pack(Account memory account) internal pure returns (AccountSlot) {
        return AccountSlot.wrap(
            uint256(account.free) | uint256(account.locked) << LOCKED | (account.optedIn ? uint256(1) << OPTED_IN : 0)
                | uint256(account.minNonce) << MIN_NONCE
        );
    }
}
