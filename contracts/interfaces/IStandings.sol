// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ScoreSlot} from "../libraries/ScoreSlot.sol";

/// @title What the escrow keeps of each account's conduct, and which providers the registry lists.
/// @notice `CreditScores` says what a word means; `Scoring` how a close changes it.
interface IStandings {
    error CallerNotRegistry(address caller, address registry);
    error ProviderNotActive(address provider);
    error ZeroAddress();

    /// @notice The registry says whether jobs may name the provider. Open jobs go on. Only the registry calls it.
    function setListed(address provider, bool listed) external;

    /// @notice Whether the registry lists the provider, so that jobs can name it.
    function isListed(address provider) external view returns (bool);

    /// @notice The word of an account's score in a role (0 buyer, 1 provider), as its last job left it.
    function scoreSlotOf(address account, uint8 role) external view returns (ScoreSlot);

    function registry() external view returns (address);
}
