// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {StructHash} from "../libraries/StructHash.sol";
import {Terms} from "./Terms.sol";

/// @notice `Terms` in memory, by reference: copied once from calldata, hashed, read and logged where they stand. A struct in memory would be
/// cleared before it is filled, and its fields masked at each reading.
/// The block in memory: type hash · the 23 fields, which the reference points at · room for the last words of `JobOpened`.
/// Warning: fields are as they came until `requireClean`; of terms that were opened they are clean, as their hash was checked.
type TermsRef is uint256;

using TermsInHand for TermsRef global;

library TermsInHand {
    uint256 private constant WORD = 0x20;
    /// 23 words, and 24 with the type hash.
    uint256 private constant FIELDS_SIZE = 0x2e0;
    uint256 private constant HASHED_SIZE = 0x300;
    /// Type hash, fields, and three words of the event.
    uint256 private constant BLOCK_SIZE = 0x360;

    /// @notice The terms in a block of their own.
    function take(Terms calldata given) internal pure returns (TermsRef terms) {
        bytes32 typeHash = StructHash.TERMS_TYPEHASH;
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(0x40, add(start, BLOCK_SIZE))
            mstore(start, typeHash)
            terms := add(start, WORD)
            calldatacopy(terms, given, FIELDS_SIZE)
        }
    }

    /// @notice EIP-712 `hashStruct`.
    function hash(TermsRef terms) internal pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            digest := keccak256(sub(terms, WORD), HASHED_SIZE)
        }
    }

    /// @notice Reverts, as reading calldata would, if a field has bits beyond its type. What is logged must decode.
    function requireClean(TermsRef terms) internal pure {
        assembly ("memory-safe") {
            let dirty :=
                shr(
                    160,
                    or(
                        or(
                            or(mload(terms), mload(add(terms, 0x20))),
                            or(mload(add(terms, 0x40)), mload(add(terms, 0x60)))
                        ),
                        or(mload(add(terms, 0x80)), mload(add(terms, 0xa0)))
                    )
                )
            dirty := or(
                dirty,
                shr(
                    104,
                    or(
                        or(mload(add(terms, 0x140)), mload(add(terms, 0x1a0))),
                        or(mload(add(terms, 0x1c0)), mload(add(terms, 0x1e0)))
                    )
                )
            )
            dirty := or(dirty, shr(64, or(mload(add(terms, 0x160)), mload(add(terms, 0x180)))))
            dirty := or(dirty, shr(40, or(mload(add(terms, 0x200)), mload(add(terms, 0x220)))))
            dirty := or(
                dirty,
                shr(32, or(or(mload(add(terms, 0x240)), mload(add(terms, 0x260))), mload(add(terms, 0x280))))
            )
            dirty := or(dirty, or(shr(16, mload(add(terms, 0x2a0))), shr(48, mload(add(terms, 0x2c0)))))
            if dirty { revert(0, 0) }
        }
    }

    /// @notice Emits `JobOpened` from where the terms stand. Its data is the terms and three words.
    function logOpened(TermsRef terms, bytes32 topic, bytes32 job, uint16 feeBps, uint104 escrow, uint104 fromWallet)
        internal
    {
        address buyer_ = terms.buyer();
        address provider_ = terms.provider();
        assembly ("memory-safe") {
            let tail := add(terms, FIELDS_SIZE)
            mstore(tail, feeBps)
            mstore(add(tail, WORD), escrow)
            mstore(add(tail, 0x40), fromWallet)
            log4(terms, add(FIELDS_SIZE, 0x60), topic, job, buyer_, provider_)
        }
    }

    /// @notice Asks `guard` in a static call with capped gas whether `question`, which takes a job's id and its terms, is answered by its own selector.
    function askGuard(TermsRef terms, bytes4 question, bytes32 job, uint256 gasCap)
        internal
        view
        returns (bool admitted)
    {
        address guard_ = terms.guard();
        assembly ("memory-safe") {
            let scratch := mload(0x40)
            mstore(scratch, question)
            mstore(add(scratch, 0x04), job)
            copy(add(scratch, 0x24), terms)
            let answered := staticcall(gasCap, guard_, scratch, add(FIELDS_SIZE, 0x24), 0x00, WORD)
            admitted := and(and(answered, gt(returndatasize(), 0x1f)), eq(mload(0x00), question))

            function copy(to, from) {
                for { let i := 0 } lt(i, FIELDS_SIZE) { i := add(i, WORD) } { mstore(add(to, i), mload(add(from, i))) }
            }
        }
    }

    // ---------------------------------------------------------------- fields

    function buyer(TermsRef terms) internal pure returns (address value) {
        assembly ("memory-safe") {
            value := mload(add(terms, 0x0))
        }
    }

    function payer(TermsRef terms) internal pure returns (address value) {
        assembly ("memory-safe") {
            value := mload(add(terms, 0x20))
        }
    }

    function provider(TermsRef terms) internal pure returns (address value) {
        assembly ("memory-safe") {
            value := mload(add(terms, 0x40))
        }
    }

    function verifier(TermsRef terms) internal pure returns (address value) {
        assembly ("memory-safe") {
            value := mload(add(terms, 0x60))
        }
    }

    function arbiter(TermsRef terms) internal pure returns (address value) {
        assembly ("memory-safe") {
            value := mload(add(terms, 0x80))
        }
    }

    function guard(TermsRef terms) internal pure returns (address value) {
        assembly ("memory-safe") {
            value := mload(add(terms, 0xa0))
        }
    }

    function unitPrice(TermsRef terms) internal pure returns (uint104 value) {
        assembly ("memory-safe") {
            value := mload(add(terms, 0x140))
        }
    }

    function minUnits(TermsRef terms) internal pure returns (uint64 value) {
        assembly ("memory-safe") {
            value := mload(add(terms, 0x160))
        }
    }

    function maxUnits(TermsRef terms) internal pure returns (uint64 value) {
        assembly ("memory-safe") {
            value := mload(add(terms, 0x180))
        }
    }

    function bond(TermsRef terms) internal pure returns (uint104 value) {
        assembly ("memory-safe") {
            value := mload(add(terms, 0x1a0))
        }
    }

    function verifierFee(TermsRef terms) internal pure returns (uint104 value) {
        assembly ("memory-safe") {
            value := mload(add(terms, 0x1c0))
        }
    }

    function arbiterFee(TermsRef terms) internal pure returns (uint104 value) {
        assembly ("memory-safe") {
            value := mload(add(terms, 0x1e0))
        }
    }

    function openBy(TermsRef terms) internal pure returns (uint40 value) {
        assembly ("memory-safe") {
            value := mload(add(terms, 0x200))
        }
    }

    function end(TermsRef terms) internal pure returns (uint40 value) {
        assembly ("memory-safe") {
            value := mload(add(terms, 0x220))
        }
    }

    function passWindow(TermsRef terms) internal pure returns (uint32 value) {
        assembly ("memory-safe") {
            value := mload(add(terms, 0x240))
        }
    }

    function disputeWindow(TermsRef terms) internal pure returns (uint32 value) {
        assembly ("memory-safe") {
            value := mload(add(terms, 0x260))
        }
    }

    function rulingWindow(TermsRef terms) internal pure returns (uint32 value) {
        assembly ("memory-safe") {
            value := mload(add(terms, 0x280))
        }
    }

    function maxFeeBps(TermsRef terms) internal pure returns (uint16 value) {
        assembly ("memory-safe") {
            value := mload(add(terms, 0x2a0))
        }
    }

    function nonce(TermsRef terms) internal pure returns (uint48 value) {
        assembly ("memory-safe") {
            value := mload(add(terms, 0x2c0))
        }
    }
}
