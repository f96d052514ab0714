// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice One trade, signed by buyer, payer and provider. Its EIP-712 digest is the job's id.
/// Amounts are credits with 18 decimals, times are UTC seconds, windows are seconds, shares are basis points.
struct Terms {
    /// Who ordered the work, may dispute it, and is compensated when it fails.
    address buyer;
    /// Who funds the escrow and gets every refund. Often the buyer; else a sponsor, employer or voucher fund.
    address payer;
    /// Who runs the work, locks the bond and is paid.
    address provider;
    /// Whose attestation decides: a wallet, an ERC-1271 contract, or the buyer or payer itself.
    address verifier;
    /// Who rules on a dispute; zero means that a dispute ends by the written default.
    address arbiter;
    /// Zero, or a contract static-called at open that may refuse the trade.
    address guard;
    /// Digest of the ask, quote request or split parent that led here.
    bytes32 order;
    /// keccak-256 of the resource's canonical URN.
    bytes32 resource;
    /// SHA-256 of the canonical job specification: the digest in its CIDv1.
    bytes32 spec;
    /// SHA-256 of the service-level template, or zero.
    bytes32 sla;
    /// Credits for one unit.
    uint104 unitPrice;
    /// Units payable at least when the work is accepted (take-or-pay).
    uint64 minUnits;
    /// Units that are escrowed and never exceeded.
    uint64 maxUnits;
    /// Credits locked from the provider's free balance for this job.
    uint104 bond;
    /// Credits for the verifier when its pass or fail reaches the chain.
    uint104 verifierFee;
    /// Credits for the arbiter when it rules.
    uint104 arbiterFee;
    /// Last second at which the job may be opened.
    uint40 openBy;
    /// Last second at which work may be attested or proposed; afterwards the escrow can be reclaimed.
    uint40 end;
    /// Seconds that a final pass waits before it pays; zero pays at once.
    uint32 passWindow;
    /// Seconds in which a fail, a claim or no fault may be disputed.
    uint32 disputeWindow;
    /// Seconds that the arbiter has for its ruling.
    uint32 rulingWindow;
    /// Highest protocol fee that the parties accept.
    uint16 maxFeeBps;
    /// Makes equal trades distinct; everything below a party's minimum nonce is cancelled. Below 2^47.
    uint48 nonce;
}
