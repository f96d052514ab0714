// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice An account's one storage slot in the escrow.
struct Account {
    /// Credits that the account may withdraw.
    uint104 free;
    /// Credits in open escrows that it pays, and in bonds that it stands for.
    uint104 locked;
    /// A contract's consent that its ERC-1271 signature may spend its balance.
    bool optedIn;
    /// Terms with a lower nonce are cancelled. Below 2^47.
    uint48 minNonce;
}
