// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ClosedJob} from "../types/ClosedJob.sol";

/// @title The credit score of every account, as a buyer and as a provider.
/// @notice A score is the expected share of good conduct under a Beta prior (Jøsang and Ismail, *The Beta Reputation System*, 2002):
///
///     score = ⌊10,000 · (credit + P) / (credit + debit + 2P)⌋ basis points,   P = PRIOR
///
/// so a newcomer has 5,000. `credit` and `debit` are weights in atoms of credit: fees really paid earn, work not delivered after a fault costs
/// what its fee would have been (NOMINAL_FEE_BPS of its price). Both fade with a half-life H; in between, linearly:
///
///     w(t + n·H + d) = ⌊w / 2^n⌋ − ⌊⌊w / 2^n⌋ · d / 2H⌋,   0 ≤ d < H
///
/// What one payer and one provider can earn each other within PAIR_PERIOD is capped at PAIR_CAP, so that friends and sock puppets gain little and
/// pay the fees for it. Debits have no cap.
interface ICreditScores {
    /// role: 0 buyer, 1 provider. `credit` and `debit`: the decayed weights after the job, at time `at`.
    event ScoreChanged(
        address indexed account,
        uint8 role,
        bytes32 indexed job,
        uint16 scoreBps,
        uint104 credit,
        uint104 debit,
        uint40 at
    );

    error CallerNotEscrow(address caller, address escrow);
    error NoSuchRole(uint8 role);

    /// @notice Weights of an account in one role, as they were at `at`.
    struct Standing {
        uint104 credit;
        uint104 debit;
        uint40 at;
    }

    /// @notice Scores a closed job. Only the escrow calls it, once a job.
    /// Warning: the escrow calls without try/catch. It saturates, makes no calls, and never reverts for the escrow.
    /// @dev Provider: earns the fee · quality, as far as the pair's cap allows, and loses the fee · (1 − quality); a job that it `failed` costs the
    /// nominal fee of what was not delivered. Buyer: earns the same as the provider could, if it paid itself; a pass of the verifier that was disputed
    /// away by default costs the nominal fee of what was not paid. A job agreed on after a fail changes nothing.
    function record(ClosedJob calldata closed) external;

    /// @notice Score in basis points, decayed to now. `role`: 0 buyer, 1 provider; others revert.
    function scoreOf(address account, uint8 role) external view returns (uint16 scoreBps);

    /// @notice Standing as a provider, decayed to now: 0 (newcomer) to 3. Sets fee and bond at open.
    /// @dev The highest tier whose least score and least credit are both reached: 1 from 6,000 and 1 credit, 2 from 7,500 and 10, 3 from 9,000 and 100.
    function tierOf(address account) external view returns (uint8 tier);

    /// @notice Weights decayed to now.
    function standingOf(address account, uint8 role) external view returns (Standing memory);

    function escrow() external view returns (address);
    function PRIOR() external view returns (uint104);
    function NOMINAL_FEE_BPS() external view returns (uint16);
    /// @notice In seconds.
    function HALF_LIFE() external view returns (uint40);
    function PAIR_CAP() external view returns (uint104);
    /// @notice In seconds.
    function PAIR_PERIOD() external view returns (uint40);
}
