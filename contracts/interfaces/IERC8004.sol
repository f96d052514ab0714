// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title What of ERC-8004's registries is called: identity (ERC-721), reputation and validation, as their deployed version 2 has them.
interface IERC8004Identity {
    function ownerOf(uint256 agentId) external view returns (address);
    /// @notice The wallet that the agent's owner proved to hold; zero if it proved none since it has the agent.
    function getAgentWallet(uint256 agentId) external view returns (address);
}

interface IERC8004Reputation {
    /// @notice Feedback of the caller: `value` with `valueDecimals` decimals. Refused from the agent's owner and its operators.
    function giveFeedback(
        uint256 agentId,
        int128 value,
        uint8 valueDecimals,
        string calldata tag1,
        string calldata tag2,
        string calldata endpoint,
        string calldata feedbackURI,
        bytes32 feedbackHash
    ) external;
    function getIdentityRegistry() external view returns (address);
    function getLastIndex(uint256 agentId, address clientAddress) external view returns (uint64);
}

interface IERC8004Validation {
    /// @notice The answer of the validator that a request named, 0 to 100.
    function validationResponse(
        bytes32 requestHash,
        uint8 response,
        string calldata responseURI,
        bytes32 responseHash,
        string calldata tag
    ) external;
    function getIdentityRegistry() external view returns (address);
    function getValidationStatus(bytes32 requestHash)
        external
        view
        returns (
            address validatorAddress,
            uint256 agentId,
            uint8 response,
            bytes32 responseHash,
            string memory tag,
            uint256 lastUpdate
        );
}
