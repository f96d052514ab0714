// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ClosedJob} from "../types/ClosedJob.sol";
import {JobId} from "../types/JobId.sol";

/// @title The credit score of every account, as a buyer and as a provider.
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

    /// @notice Scores a closed job. Only the escrow calls it, once a job.
    /// Warning: the escrow calls without try/catch. It saturates, makes no calls, and never reverts for the escrow.
    function record(ClosedJob calldata closed) external;

    /// @notice Score in basis points, decayed to now. `role`: 0 buyer, 1 provider; others revert.
    function scoreOf(address account, uint8 role) external view returns (uint16 scoreBps);

    /// @notice Standing as a provider, decayed to now: 0 (newcomer) to 3. Sets fee and bond at open.
    function tierOf(address account) external view returns (uint8 tier);
}
