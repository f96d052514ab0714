// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Account} from "../types/Account.sol";
import {Attestation, Verdict} from "../types/Attestation.sol";
import {ClosedBy, Job, JobState, Outcome} from "../types/Job.sol";
import {JobId} from "../types/JobId.sol";
import {Opening} from "../types/Opening.sol";
import {Parameters} from "../types/Parameters.sol";
import {Ruling} from "../types/Ruling.sol";
import {Settlement} from "../types/Settlement.sol";
import {SignedAttestation} from "../types/SignedAttestation.sol";
import {Signatures} from "../types/Signatures.sol";
import {Terms} from "../types/Terms.sol";
import {IStandings} from "./IStandings.sol";

/// @title The life of a job, and the only custodian of trades.
/// @notice A trade is one document, `Terms`, that buyer, payer and provider signed; its EIP-712 digest is the job's id. The chain keeps
/// one word a job, so every call brings the terms again. `contracts/SPEC.md` has the state machine, where the money is, and who can move it.
///
/// Vocabulary of this file:
/// - *authorised*: the party is the caller, or its signature over the digest in question is valid: by key (65 bytes, or 64 as in EIP-2098), else by
///   ERC-1271 with capped gas. An ERC-1271 answer of a buyer, payer or provider counts only after that contract gave its spending consent.
///   An allowance or a permit is never an authorisation.
/// - *own*: the verifier is the buyer or the payer.
/// - *in time*: not after the job's deadline, which is the terms' `end` while the job is open and the end of the window afterwards.
/// - `…ToWallet`: what this close earns or refunds the caller leaves for its wallet in the same call, a returned bond excepted. If the call
///   does not close the job, or the caller has no share, the same as without.
interface IJobEscrow is IStandings {
    // ---------------------------------------------------------------- events
    // Folding these, in order, gives every account's free and locked and every job's row. Deltas are in each comment.

    /// account: free + amount.
    event Deposited(address indexed account, address indexed from, uint104 amount);
    /// account: free − amount.
    event Withdrawn(address indexed account, address indexed to, uint104 amount);
    /// account's consent to have its balance spent by its ERC-1271 signature.
    event SpendingConsentChanged(address indexed account, bool optedIn);
    event NoncesCancelled(address indexed account, uint48 minNonce);

    /// Before `JobOpened`: the provider has less free than the bond, and its stake in the registry brings the rest. provider: free + amount.
    event BondStaked(JobId indexed job, address indexed provider, uint104 amount);
    /// After a close of such a job: what the bond was not slashed by goes back to the stake, no more than came from there. provider: free − amount.
    event BondUnstaked(JobId indexed job, address indexed provider, uint104 amount);

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
    /// A final pass that paid at once: the attestation and the close in one. The job is closed by it, with the outcome pass.
    /// payer: locked − escrow, free + refund. provider: locked − bond, free + providerPaid + bond. verifier: free + verifierPaid.
    /// Treasury: fees + fee. caller: free − toWallet, paid out to its wallet in the same call.
    /// `attested` is what the verifier signed; `units` = max(attested, accepted, minUnits) is paid.
    event JobPaid(
        JobId indexed job,
        address indexed caller,
        bytes32 result,
        uint64 attested,
        uint16 qualityBps,
        bytes32 meterRoot,
        bytes32 evidence,
        uint64 units,
        uint104 providerPaid,
        uint104 fee,
        uint104 refund,
        uint104 verifierPaid,
        uint104 toWallet
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

    /// An item of a batch reverted and changed nothing. `error`: the selector of what it reverted with, from the left, or zero; then the first two words of its arguments.
    event JobSkipped(
        JobId indexed job, address indexed caller, uint256 index, bytes32 error, bytes32 first, bytes32 second
    );

    /// fees − amount.
    event FeesCollected(address indexed treasury, uint104 amount);
    /// The whole set, at deployment and after each change.
    event ParametersChanged(
        uint16[4] feeBps,
        uint24[4] bondBps,
        uint24[4] maxLocked,
        uint32 minDisputeWindow,
        address treasury,
        address guardian
    );
    event Paused(address indexed by);
    event Unpaused(address indexed by);

    // ---------------------------------------------------------------- errors

    /// `party` neither called nor signed validly.
    error NotAuthorised(address party);
    /// The contract's ERC-1271 signature counts only after `setSpendingConsent(true)`.
    error ConsentMissing(address party);
    /// Only the job's buyer, payer or provider may do this.
    error CallerNotParty(address caller);
    error CallerNotProvider(address caller, address provider);
    error CallerNotOwner(address caller, address owner);
    error CallerNotGuardian(address caller, address guardian);
    /// The statement was signed for another job.
    error WrongJob(JobId signed, JobId terms);
    /// The job is in a state that this call does not lead out of. For unknown terms `None`.
    error WrongState(JobState state, Outcome outcome);
    error TooLate(uint256 time, uint256 limit);
    error TooEarly(uint256 time, uint256 limit);
    error UnitsOutOfRange(uint64 units, uint64 low, uint64 high);
    /// A reading has to exceed the units accepted so far.
    error UnitsNotRising(uint64 units, uint64 accepted);
    /// Readings count at once, so they are for jobs whose passes count at once.
    error ReadingNeedsNoPassWindow(uint32 passWindow);
    error ShareTooLarge(uint256 bps, uint256 limit);
    error CapTooLarge(uint256 credits, uint256 limit);
    /// One account in two roles that exclude each other.
    error RolesConflict(address account);
    /// `open` demands now ≤ openBy < end ≤ now + MAX_DURATION.
    error EndOutOfRange(uint256 end, uint256 low, uint256 high);
    error WindowOutOfRange(uint256 window, uint256 low, uint256 high);
    error NonceCancelled(address party, uint48 nonce, uint48 minNonce);
    error NonceOutOfRange(uint256 nonce, uint256 low, uint256 high);
    error FeeTooHigh(uint16 feeBps, uint16 limit);
    error BondTooSmall(uint104 bond, uint256 demanded);
    /// With this bond more of the provider's would be locked than its tier allows.
    error ExposureTooLarge(address provider, uint256 locked, uint256 limit);
    error RefusedByGuard(address guard);
    error InsufficientFree(address account, uint104 free, uint104 needed);
    error OpeningPaused();
    /// The escrow cannot be paid out to itself.
    error InvalidReceiver(address to);

    // ---------------------------------------------------------------- balances

    /// @notice Moves `amount` credits from the caller's wallet to the free balance of `account`.
    function deposit(address account, uint104 amount) external;

    /// @notice `deposit` with the caller's EIP-2612 permit for `amount`. A permit that fails (used before, by anyone) is ignored, and the
    /// allowance decides.
    function depositWithPermit(address account, uint104 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external;

    /// @notice Moves `amount` of the caller's free balance into its stake in the registry, as a reward that vests: it stands behind bonds like the stake,
    /// is slashed before it, and may leave bit by bit (`IProviderRegistry.claimReward`). Reverts if the registry does not know the caller, or it is leaving.
    function stakeReward(uint104 amount) external;

    /// @notice Moves `amount` of the caller's free balance to the wallet `to`.
    function withdraw(address to, uint104 amount) external;

    /// @notice Consents, or no longer, to the caller's ERC-1271 signature committing its money. Wallets with a key need no consent.
    /// Warning: whoever can make the contract answer `isValidSignature` can then spend its balance.
    function setSpendingConsent(bool optedIn) external;

    /// @notice Cancels all of the caller's unopened terms with a nonce below `minNonce`. It only rises, and stays below 2^47.
    function cancelBelow(uint48 minNonce) external;

    // ---------------------------------------------------------------- the life of a job

    /// @notice Opens a job: escrows unitPrice · maxUnits and both fees from the payer's free balance, and locks the bond from the provider's; what that
    /// lacks of the bond, from the provider's stake in the registry.
    /// Anyone may send it; buyer, payer and provider must be authorised over the job's id.
    /// @dev Refused: while paused; terms opened or cancelled before; roles that conflict (provider as buyer, payer or verifier; arbiter as
    /// any other role); now > openBy; openBy ≥ end; end or a window beyond its cap; a dispute window under the floor; no units; a nonce that is
    /// cancelled or not below 2^47 − 1; a provider that the registry does not list; a fee above maxFeeBps; a bond below the tier's demand or the
    /// arbiter's fee; a guard that does not admit; too little free balance of the payer, or of the provider with its free stake. All of it is checked now and never again.
    function open(Terms calldata terms, Signatures calldata signatures) external;

    /// @notice `open`, with the escrow from the payer's wallet by its allowance.
    /// Warning: a payer's signature lets the sender choose between the payer's balance and its allowance.
    function openFromWallet(Terms calldata terms, Signatures calldata signatures) external;

    /// @notice `openFromWallet` with the payer's EIP-2612 permit for exactly the escrow. A permit that fails is ignored, and the allowance decides.
    function openWithPermit(
        Terms calldata terms,
        Signatures calldata signatures,
        uint256 permitDeadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice `openWithPermit` with the reserve behind the credits: the payer's permit for as many whole units of it as the escrow needs. They are
    /// minted into credits here, and what that makes more than the escrow is deposited for the payer. The reserve's permit or allowance must name the escrow.
    function openFromReserve(
        Terms calldata terms,
        Signatures calldata signatures,
        uint256 permitDeadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice `open` for each item, from balances. An item that reverts is skipped with `JobSkipped` and changes nothing; the others stand.
    /// Who is authorised as the caller is authorised for each item. Items keep their order.
    function openMany(Opening[] calldata items) external;

    /// @notice `deposit` of `amount` into the caller's own balance, then `openMany`: one transfer pays for the whole batch. What skipped items, or too
    /// large an amount, leave stays in the caller's balance.
    /// Warning: items of other payers are paid from their balances; the caller's wallet pays for nobody else.
    function openManyFromWallet(uint104 amount, Opening[] calldata items) external;

    /// @notice `openManyFromWallet` with the caller's EIP-2612 permit for `amount`. A permit that fails is ignored, and the allowance decides.
    function openManyWithPermit(
        uint104 amount,
        Opening[] calldata items,
        uint256 permitDeadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice Brings the verifier's word. Anyone may send it; the verifier must have called or signed. In time only.
    /// @dev With "nothing final" for open, P(no fault) and P(claim):
    /// - pass, final, nothing final: the units payable become max(units, accepted, minUnits). Closes and pays at once if passWindow is zero
    ///   or, for an own verifier, if the provider sends; else P(pass) for passWindow (own: disputeWindow).
    /// - pass, final, own, P(pass), more units than pending, sent by the provider: the same, at once.
    /// - pass, reading, own or passWindow zero, live: accepted rises to units, and nothing else changes. So does any other final pass of
    ///   an own verifier.
    /// - fail, nothing final: P(fail) for disputeWindow.
    /// - no fault, open: P(no fault) for disputeWindow.
    /// Everything else reverts.
    function attest(Terms calldata terms, Attestation calldata attestation, bytes calldata signature) external;

    function attestToWallet(Terms calldata terms, Attestation calldata attestation, bytes calldata signature) external;

    /// @notice `attest` for each item. An item that reverts is skipped with `JobSkipped` and changes nothing; the others stand.
    function attestMany(SignedAttestation[] calldata items) external;

    /// @notice The provider claims `units` when no verifier has spoken, from open or P(no fault), in time: P(claim) for disputeWindow.
    /// Units already accepted are an excuse (withheld input, dead verifier) and pay just those; more are a claim, and pay minUnits at least.
    /// @param result What the provider delivered, for the record.
    function propose(Terms calldata terms, uint64 units, bytes32 result) external;

    /// @notice Ends a job whose window has passed. Anyone may call.
    /// @dev P(pass), P(claim): pays max(pending, accepted). P(no fault): pays accepted. P(fail): pays accepted and slashes
    /// ⌊bond · (maxUnits − accepted) / maxUnits⌋, unless own. Disputed, with the arbiter silent: pays accepted, slashes nothing.
    function finalize(Terms calldata terms) external;

    function finalizeToWallet(Terms calldata terms) external;

    /// @notice Ends an open job after its `end`. Anyone may call. With nothing accepted the payer is refunded and the bond slashed; else pays
    /// accepted and frees the bond.
    function reclaim(Terms calldata terms) external;

    function reclaimToWallet(Terms calldata terms) external;

    /// @notice Buyer, payer or provider contests what is pending, in time: the arbiter has rulingWindow to rule. Without an arbiter the job
    /// closes by default: pays accepted, slashes nothing.
    function dispute(Terms calldata terms) external;

    /// @notice The arbiter, as caller or by signature, ends a disputed job, in time. Pays max(ruled, accepted) units; the arbiter's fee comes
    /// from the bond by costBps and from the escrow otherwise; slashes slashBps of the bond, as far as it still reaches.
    function rule(Terms calldata terms, Ruling calldata ruling, bytes calldata signature) external;

    /// @notice Ends a live job at the settlement's units and frees the bond. Buyer and provider must be authorised over the settlement, and
    /// above the units accepted the payer too.
    function agree(Terms calldata terms, Settlement calldata settlement, Signatures calldata signatures) external;

    /// @notice Makes unopened terms unusable for ever. Buyer, payer or provider calls.
    function cancel(Terms calldata terms) external;

    // ---------------------------------------------------------------- parameters

    /// @notice Pays the fees out to the treasury. Anyone may call.
    function collectFees() external;

    /// @notice Replaces the parameters for jobs opened from now on. The owner, which is a timelock, within the hard caps.
    function setParameters(Parameters calldata parameters) external;

    /// @notice Stops `open` and nothing else. Guardian or owner.
    function pause() external;

    /// @notice Guardian or owner.
    function unpause() external;

    // ---------------------------------------------------------------- views

    function jobIdOf(Terms calldata terms) external view returns (JobId);
    function attestationDigest(Attestation calldata attestation) external view returns (bytes32);
    function settlementDigest(Settlement calldata settlement) external view returns (bytes32);
    function rulingDigest(Ruling calldata ruling) external view returns (bytes32);

    /// @notice The job's word, all zero if it never was. Of a closed job `accepted` is the settled units.
    function jobOf(JobId job) external view returns (Job memory);
    function accountOf(address account) external view returns (Account memory);

    /// @notice Of a live job's bond, what came from the provider's stake in the registry.
    function stakedOf(JobId job) external view returns (uint104);

    /// @notice Fees that await collection.
    function fees() external view returns (uint104);
    function parameters() external view returns (Parameters memory);
    function treasury() external view returns (address);
    function paused() external view returns (bool);

    /// @notice The token that is held. Trusted: see `contracts/SPEC.md`, trust.
    function credit() external view returns (address);
    function owner() external view returns (address);

    /// @notice Longest window, in seconds.
    function MAX_WINDOW() external view returns (uint32);
    /// @notice Longest time from opening to `end`, in seconds.
    function MAX_DURATION() external view returns (uint32);
    function MAX_FEE_BPS() external view returns (uint16);
    /// @notice Most that the least bond may be, of the value of a job: enough to deter whoever is looked at in one job of twenty.
    function MAX_BOND_BPS() external view returns (uint24);
    /// @notice Highest cap on what a tier may have locked, in whole credits.
    function MAX_MAX_LOCKED() external view returns (uint24);
    /// @notice Highest floor that the owner may put under dispute windows, in seconds.
    function MAX_MIN_DISPUTE_WINDOW() external view returns (uint32);
    /// @notice Highest nonce of terms that can open: all that can open can be cancelled in bulk.
    function MAX_NONCE() external view returns (uint48);
}
