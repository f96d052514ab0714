// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Account} from "../types/Account.sol";
import {Attestation, Verdict} from "../types/Attestation.sol";
import {ClosedBy, Job, Outcome} from "../types/Job.sol";
import {JobId} from "../types/JobId.sol";
import {Ruling} from "../types/Ruling.sol";
import {Settlement} from "../types/Settlement.sol";
import {Signatures} from "../types/Signatures.sol";
import {Terms} from "../types/Terms.sol";

/// @title The life of a job, and the only custodian of trades.
interface IJobEscrow {
    // ---------------------------------------------------------------- events
    // Folding these, in order, gives every account's free and locked and every job's row. Deltas are in each comment.

    /// account: free + amount.
    event Deposited(address indexed account, address indexed from, uint104 amount);
    /// account: free − amount.
    event Withdrawn(address indexed account, address indexed to, uint104 amount);
    /// account's consent to have its balance spent by its ERC-1271 signature.
    event SpendingConsentChanged(address indexed account, bool optedIn);
    event NoncesCancelled(address indexed account, uint48 minNonce);

    /// payer: free − (escrow − fromWallet), locked + escrow. provider: free − bond, locked + bond.
    event JobOpened(
        JobId indexed job,
        address indexed buyer,
        address indexed provider,
        Terms terms,
        uint16 feeBps,
        uint104 escrow,
        uint104 fromWallet
    );
    /// Every attestation that counted, whole. `accepted`, `outcome`, `pending`, `deadline`: the job after it.
    event JobAttested(
        JobId indexed job,
        Verdict verdict,
        bytes32 result,
        uint64 units,
        bool isFinal,
        uint16 qualityBps,
        bytes32 meterRoot,
        bytes32 evidence,
        uint64 accepted,
        Outcome outcome,
        uint64 pending,
        uint40 deadline
    );
    event JobProposed(JobId indexed job, uint64 units, bytes32 result, uint40 deadline);
    event JobDisputed(JobId indexed job, address indexed by, uint40 deadline);
    event JobRuled(JobId indexed job, uint64 units, uint16 slashBps, uint16 costBps);
    /// payer: locked − escrow, free + refund. provider: locked − bond, free + providerPaid + bondReturned.
    /// verifier: free + verifierPaid. arbiter: free + arbiterFromEscrow + arbiterFromBond. buyer: free + bondToBuyer.
    /// Treasury: fees + fee + bondToTreasury. caller: free − toWallet, paid out to its wallet in the same call.
    event JobClosed(
        JobId indexed job,
        address indexed caller,
        ClosedBy cause,
        Outcome outcome,
        uint64 units,
        uint104 providerPaid,
        uint104 fee,
        uint104 refund,
        uint104 verifierPaid,
        uint104 arbiterFromEscrow,
        uint104 arbiterFromBond,
        uint104 bondReturned,
        uint104 bondToBuyer,
        uint104 bondToTreasury,
        uint104 toWallet
    );
    /// A job cancelled before it was opened: it can never open. No money.
    event JobCancelled(JobId indexed job, address indexed by);

    event FeesCollected(address indexed treasury, uint104 amount);
    event Paused(address indexed by);
    event Unpaused(address indexed by);
