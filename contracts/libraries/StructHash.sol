// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Attestation} from "../types/Attestation.sol";
import {Ruling} from "../types/Ruling.sol";
import {Settlement} from "../types/Settlement.sol";

/// @notice EIP-712 type hashes of the four signed types, and `hashStruct` of three of them straight from calldata; `TermsRef` hashes terms in memory.
/// Each is a static struct: its calldata already is its EIP-712 encoding, one word a field, so hashing is one copy and one keccak.
/// Warning: fields are hashed unvalidated. A word with bits beyond its type gives a digest that nobody signed, and Solidity reverts as
/// soon as the field is read.
library StructHash {
    bytes32 internal constant TERMS_TYPEHASH = keccak256(
        "Terms(address buyer,address payer,address provider,address verifier,address arbiter,address guard,bytes32 order,"
        "bytes32 resource,bytes32 spec,bytes32 sla,uint104 unitPrice,uint64 minUnits,uint64 maxUnits,uint104 bond,"
        "uint104 verifierFee,uint104 arbiterFee,uint40 openBy,uint40 end,uint32 passWindow,uint32 disputeWindow,"
        "uint32 rulingWindow,uint16 maxFeeBps,uint48 nonce)"
    );
    bytes32 internal constant ATTESTATION_TYPEHASH = keccak256(
        "Attestation(bytes32 job,uint8 verdict,bytes32 result,uint64 units,bool isFinal,uint16 qualityBps,bytes32 meterRoot,"
        "bytes32 evidence)"
    );
    bytes32 internal constant SETTLEMENT_TYPEHASH = keccak256("Settlement(bytes32 job,uint64 units,uint40 deadline)");
    bytes32 internal constant RULING_TYPEHASH =
        keccak256("Ruling(bytes32 job,uint64 units,uint16 slashBps,uint16 costBps)");

    uint256 private constant WORD = 0x20;
    uint256 private constant ATTESTATION_SIZE = 8 * WORD;
    uint256 private constant SETTLEMENT_SIZE = 3 * WORD;
    uint256 private constant RULING_SIZE = 4 * WORD;

    function hash(Attestation calldata attestation) internal pure returns (bytes32) {
        uint256 position;
        assembly ("memory-safe") {
            position := attestation
        }
        return _hash(ATTESTATION_TYPEHASH, position, ATTESTATION_SIZE);
    }

    function hash(Settlement calldata settlement) internal pure returns (bytes32) {
        uint256 position;
        assembly ("memory-safe") {
            position := settlement
        }
        return _hash(SETTLEMENT_TYPEHASH, position, SETTLEMENT_SIZE);
    }

    function hash(Ruling calldata ruling) internal pure returns (bytes32) {
        uint256 position;
        assembly ("memory-safe") {
            position := ruling
        }
        return _hash(RULING_TYPEHASH, position, RULING_SIZE);
    }

    /// @dev keccak256(typeHash ‖ calldata[position, position + size)), in memory beyond the free pointer.
    function _hash(bytes32 typeHash, uint256 position, uint256 size) private pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            let scratch := mload(0x40)
            mstore(scratch, typeHash)
            calldatacopy(add(scratch, 0x20), position, size)
            digest := keccak256(scratch, add(size, 0x20))
        }
    }
}
