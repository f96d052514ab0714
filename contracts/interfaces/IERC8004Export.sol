// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {JobId} from "../types/JobId.sol";
import {Terms} from "../types/Terms.sol";

/// @title Settled jobs as feedback and validations in the registries of ERC-8004.
/// @notice Whoever reads an agent's reputation with this contract as the one `clientAddress` reads settled jobs of this escrow alone, each once, in words that follow from the job's
/// end and from nothing that anybody says. Nobody has a privilege here, and anybody may publish.
///
/// A job says, of its provider:
/// - 0, where the provider was at fault: a fail of an independent verifier that stood, a ruling that slashed, or nothing delivered by the end;
/// - else, if it was paid for anything: the share of service levels met where it ended by a pass, and all of them where it ended otherwise (a claim that stood, a ruling for the provider, an agreement);
/// - nothing, if nothing was paid and nobody was at fault, or if it was agreed on after a fail. So do the credit scores (SPEC.md, section 13).
///
/// Warning: what a job says is not what it weighs. Buyer and provider may be one; the escrow's credit score weighs by fees burnt and counterparties, this does not.
/// Warning: an agent that makes this contract its operator refuses all its later feedback (the registry takes none from operators): look for that approval, or compare `published`.
interface IERC8004Export {
    /// `agentId` of the identity registry is this provider's from now on.
    event AgentBound(address indexed provider, uint256 indexed agentId);
    /// The job is the agent's feedback number `feedbackIndex` of this contract. `shareBps`: what it says, 0 to 10,000.
    event FeedbackPublished(JobId indexed job, uint256 indexed agentId, uint64 feedbackIndex, uint16 shareBps);
    event ValidationPublished(JobId indexed job, uint256 indexed agentId, bytes32 requestHash, uint8 response);

    error ZeroAddress();
    /// The registry serves another identity registry.
    error OtherIdentity(address registry, address identity);
    error CallerNotAgent(address caller, uint256 agentId);
    error AlreadyBound(address provider, uint256 agentId);
    error NotBound(address provider);
    error NotSettled(JobId job);
    error SaysNothing(JobId job);
    error AlreadyPublished(JobId job);
    /// No request for the job names its provider's agent and this contract.
    error NotRequested(JobId job, bytes32 requestHash);

    /// @notice Says that `agentId` is the caller's: its owner, or the wallet that the owner proved. Once: what a provider's jobs say stays with the agent, whoever holds it later.
    function bind(uint256 agentId) external;

    /// @notice Publishes what a closed job says as feedback on its provider's agent: `value` in percent with two decimals, tag1 `starred`, tag2 how the job ended.
    function publish(Terms calldata terms) external;

    /// @notice Answers a validation request that the agent's owner made of this contract under `requestHashOf`: in percent, rounded down, tag as in `publish`.
    /// May be called again; the answer is the same.
    function validate(Terms calldata terms) external;

    /// @notice What a closed job says of its provider, 0 to 10,000, and how it ended. Reverts if it is not closed, or says nothing.
    function saidOf(Terms calldata terms) external view returns (uint16 shareBps, string memory how);

    /// @notice Under which hash a validation of a job is requested: keccak256(abi.encode(job, this contract)).
    function requestHashOf(JobId job) external view returns (bytes32);

    function isBound(address provider) external view returns (bool);

    /// @notice The provider's agent; reverts if it is bound to none.
    function agentOf(address provider) external view returns (uint256 agentId);

    /// @notice How many jobs of a provider were published.
    function published(address provider) external view returns (uint256);
    function isPublished(JobId job) external view returns (bool);
    function escrow() external view returns (address);
    function identity() external view returns (address);
    function reputation() external view returns (address);
    function validation() external view returns (address);
}
