// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {JobId} from "../types/JobId.sol";
import {Terms} from "../types/Terms.sol";
import {IERC8183} from "./IERC8183.sol";

/// @title ERC-8183 over the escrow: clients, evaluators and hooks that were written for the standard work unchanged.
/// @notice A funded job is a job of the escrow whose buyer, payer and verifier is the adapter, and whose provider is the seat of the job's provider: budget and bond lie there.
/// Completing is a final pass that pays at once (its result the deliverable, its evidence the reason); rejecting and expiry are an agreement on nothing.
/// Where the standard and the escrow differ:
/// - **A provider consents.** It has a seat (`takeSeat`) that is registered with a stake, and has set the budget itself, or consents to every client's (`setStandingConsent`). The
///   standard lets a client bind a provider that was never asked; here each job locks a bond of its.
/// - **Bonds are locked, and never slashed while anybody cares**: whatever the evaluator says, or if it says nothing, they go back. A job that nobody ends for a year after it was
///   funded is ended by `JobEscrow.reclaim`, which slashes; the client has that too.
/// - **Nobody disputes**, as in the standard: the evaluator's word is final. So jobs of the adapter carry no arbiter.
/// - **Fees** are the escrow's, of the tier of the provider's seat: the standard's platform fee, on completion only. There is no evaluator fee.
/// - **Scores**: the seat earns a credit score. All clients are one counterparty, the adapter, whose weight is capped each week.
/// - The token is the escrow's credit; a budget is at most 2^104 − 1 of it; `expiredAt` is at most 365 days ahead. Relays (ERC-2771) are not built.
/// - A hook may use at most `HOOK_GAS` a call.
interface IERC8183Adapter is IERC8183 {
    event SeatTaken(address indexed provider, address seat);
    event StandingConsentChanged(address indexed provider, bool consents);
    /// The job of the escrow behind a job that was funded.
    event JobLinked(uint256 indexed jobId, JobId indexed job);

    /// The provider has neither set this budget nor given standing consent.
    error ProviderHasNotAgreed(address provider, uint256 budget);
    error NoSeat(address provider);
    error SeatKnown(address provider, address seat);
    error ExpiryTooLate(uint256 expiredAt, uint256 limit);
    error BudgetTooLarge(uint256 budget, uint256 limit);
    error HookIsNoContract(address hook);

    /// @notice Creates the caller's seat: once, before it can provide. It then enters the registry by `IERC8183Seat.enter`.
    function takeSeat() external returns (address seat);

    /// @notice Whether the caller consents to any budget that a client sets for it, until it says otherwise.
    /// Warning: each funded job locks a bond of the seat until it ends.
    function setStandingConsent(bool consents) external;

    /// @notice The seat of a provider; zero if it has none.
    function seatOf(address provider) external view returns (address);
    function consents(address provider) external view returns (bool);

    /// @notice The terms of a funded job inside the escrow, and so its id there. Reverts for a job that was never funded.
    function termsOf(uint256 jobId) external view returns (Terms memory);

    /// @notice The digest that adapter and seats answer for at this moment (ERC-1271); one for none.
    function voiced() external view returns (bytes32);
    function escrow() external view returns (address);
    function HOOK_GAS() external view returns (uint256);
    function MAX_DURATION() external view returns (uint256);
}
