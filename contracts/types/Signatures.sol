// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice What the three parties signed over one digest. Empty where the party is the caller, and for a payer that is the buyer.
/// 65 bytes (r, s, v), 64 bytes (EIP-2098), or whatever an ERC-1271 contract understands.
struct Signatures {
    bytes buyer;
    bytes payer;
    bytes provider;
}
