// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @notice Whether an account signed a digest: by its key (65 bytes, or 64 as in EIP-2098), else by answering as an ERC-1271 contract.
/// An account with both, as under EIP-7702, may use either.
library SignatureCheck {
    /// Gas that an ERC-1271 contract may spend: enough for a committee of dozens or a pairing check.
    uint256 internal constant ERC1271_GAS = 1_000_000;

    /// @notice Whose key made `signature` over `digest`; zero if nobody's. High `s` and unknown `v` are refused.
    function signerOf(bytes32 digest, bytes calldata signature) internal pure returns (address signer) {
        if (signature.length != 65 && signature.length != 64) return address(0);
        bytes32 r;
        bytes32 second;
        uint8 v;
        assembly ("memory-safe") {
            r := calldataload(signature.offset)
            second := calldataload(add(signature.offset, 0x20))
            v := byte(0, calldataload(add(signature.offset, 0x40)))
        }
        if (signature.length == 65) (signer,,) = ECDSA.tryRecover(digest, v, r, second);
        else (signer,,) = ECDSA.tryRecover(digest, r, second);
    }

    /// @notice True if the key of `account` made `signature` over `digest`.
    function signedByKey(address account, bytes32 digest, bytes calldata signature) internal pure returns (bool) {
        address signer = signerOf(digest, signature);
        return signer != address(0) && signer == account;
    }

    /// @notice True if the contract `account` answers that `signature` is its own over `digest`. One static call with capped gas, of
    /// whose answer one word is read, so that a long or a costly answer harms nobody.
    function signedByContract(address account, bytes32 digest, bytes calldata signature)
        internal
        view
        returns (bool valid)
    {
        if (account.code.length == 0) return false;
        bytes memory question = abi.encodeCall(IERC1271.isValidSignature, (digest, signature));
        bytes32 expected = bytes32(IERC1271.isValidSignature.selector);
        assembly ("memory-safe") {
            let answered := staticcall(ERC1271_GAS, account, add(question, 0x20), mload(question), 0x00, 0x20)
            valid := and(and(answered, gt(returndatasize(), 0x1f)), eq(mload(0x00), expected))
        }
    }
}
