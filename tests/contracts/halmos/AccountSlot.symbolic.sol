// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccountPacking, AccountSlot} from "../../../contracts/libraries/AccountSlot.sol";
import {Account} from "../../../contracts/types/Account.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice Movements as calls, so that a check can see one revert.
contract Movements {
    function plusFree(AccountSlot slot, uint104 amount) external pure returns (AccountSlot) {
        return slot.plusFree(amount);
    }

    function minusFree(AccountSlot slot, uint104 amount) external pure returns (AccountSlot) {
        return slot.minusFree(amount);
    }

    function plusLocked(AccountSlot slot, uint104 amount) external pure returns (AccountSlot) {
        return slot.plusLocked(amount);
    }

    function minusLocked(AccountSlot slot, uint104 amount) external pure returns (AccountSlot) {
        return slot.minusLocked(amount);
    }
}

/// @notice For every word and every amount.
contract AccountSlotSymbolic is Symbolic {
    uint256 private constant MAX = type(uint104).max;
    Movements private immutable MOVEMENTS = new Movements();

    function check_Pack_GivesBackTheWordThatWasUnpacked(AccountSlot slot) external pure {
        assert(AccountSlot.unwrap(AccountPacking.pack(slot.unpack())) == AccountSlot.unwrap(slot));
    }

    function check_Unpack_GivesBackTheAccountThatWasPacked(uint104 free, uint104 locked, bool optedIn, uint48 minNonce)
        external
        pure
    {
        vm.assume(minNonce < 2 ** 47);
        Account memory account = AccountPacking.pack(Account(free, locked, optedIn, minNonce)).unpack();
        assert(account.free == free && account.locked == locked);
        assert(account.optedIn == optedIn && account.minNonce == minNonce);
    }

    function check_PlusFree_AddsExactly_OrReverts(AccountSlot slot, uint104 amount) external view {
        bool fits = uint256(slot.free()) + amount <= MAX;
        try MOVEMENTS.plusFree(slot, amount) returns (AccountSlot after_) {
            assert(fits && after_.free() == slot.free() + amount);
            assert(sameBut(AccountSlot.unwrap(after_), AccountSlot.unwrap(slot), mask(0, 104)));
        } catch {
            assert(!fits);
        }
    }

    function check_MinusFree_TakesExactly_OrReverts(AccountSlot slot, uint104 amount) external view {
        bool fits = slot.free() >= amount;
        try MOVEMENTS.minusFree(slot, amount) returns (AccountSlot after_) {
            assert(fits && after_.free() == slot.free() - amount);
            assert(sameBut(AccountSlot.unwrap(after_), AccountSlot.unwrap(slot), mask(0, 104)));
        } catch {
            assert(!fits);
        }
    }

    function check_PlusLocked_AddsExactly_OrReverts(AccountSlot slot, uint104 amount) external view {
        bool fits = uint256(slot.locked()) + amount <= MAX;
        try MOVEMENTS.plusLocked(slot, amount) returns (AccountSlot after_) {
            assert(fits && after_.locked() == slot.locked() + amount);
            assert(sameBut(AccountSlot.unwrap(after_), AccountSlot.unwrap(slot), mask(104, 104)));
        } catch {
            assert(!fits);
        }
    }

    function check_MinusLocked_TakesExactly_OrReverts(AccountSlot slot, uint104 amount) external view {
        bool fits = slot.locked() >= amount;
        try MOVEMENTS.minusLocked(slot, amount) returns (AccountSlot after_) {
            assert(fits && after_.locked() == slot.locked() - amount);
            assert(sameBut(AccountSlot.unwrap(after_), AccountSlot.unwrap(slot), mask(104, 104)));
        } catch {
            assert(!fits);
        }
    }
}
