// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title A court as ERC-792 describes it, as far as `CourtArbiter` asks of it.
interface IArbitrator {
    /// @notice Opens a dispute of `choices` choices for at least `arbitrationCost` in the chain's coin. The court answers with `IArbitrable.rule`.
    function createDispute(uint256 choices, bytes calldata extraData) external payable returns (uint256 disputeId);

    function arbitrationCost(bytes calldata extraData) external view returns (uint256 cost);
}
