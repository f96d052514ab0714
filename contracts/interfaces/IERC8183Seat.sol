// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Attestation} from "../types/Attestation.sol";
import {Terms} from "../types/Terms.sol";

/// @title A provider of ERC-8183 jobs inside the escrow: registered, bonded and scored like any provider.
/// @notice It signs only what the adapter says in the same transaction, so that no provider can claim, dispute or agree past its evaluator. Whoever has its own free
/// balance there deposits for it in the escrow (`JobEscrow.deposit(seat, amount)`); only its owner can take it out.
interface IERC8183Seat {
    error CallerNotAdapter(address caller, address adapter);
    error CallerNotOwner(address caller, address owner);

    /// @notice Enters the registry with `stake` from the owner's wallet, by its allowance to this seat. The owner.
    function enter(uint104 stake) external;

    /// @notice Adds to the stake, likewise.
    function addStake(uint104 amount) external;

    /// @notice Sends `amount` of the seat's free balance in the escrow to the owner. The owner.
    function withdraw(uint104 amount) external;

    /// @notice `ProviderRegistry.requestExit` for the seat. The owner.
    function requestExit() external;

    /// @notice `ProviderRegistry.exit` for the seat; the stake goes to the owner. The owner.
    function exit() external;

    /// @notice Names the owner of a new seat, and lets the adapter bind it. The adapter, once.
    function take(address owner_) external;

    /// @notice Sends a final pass to the escrow, and `pay` of what it brought to the owner's wallet. The adapter.
    function settle(Terms calldata terms, Attestation calldata attestation, uint104 pay) external;

    function owner() external view returns (address);
    function adapter() external view returns (address);
}
