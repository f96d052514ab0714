// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC8004Identity, IERC8004Reputation, IERC8004Validation} from "../interfaces/IERC8004.sol";
import {IERC8004Export} from "../interfaces/IERC8004Export.sol";
import {IJobEscrow} from "../interfaces/IJobEscrow.sol";
import {ClosedBy, Job, JobState, Outcome} from "../types/Job.sol";
import {JobId} from "../types/JobId.sol";
import {Terms} from "../types/Terms.sol";

contract ERC8004Export is IERC8004Export {
    uint16 private constant FULL_BPS = 10_000;
    /// Percent with two decimals are basis points.
    uint8 private constant DECIMALS = 2;
    uint16 private constant BPS_OF_PERCENT = 100;
    string private constant STARRED = "starred";

    /// @inheritdoc IERC8004Export
    address public immutable escrow;
    /// @inheritdoc IERC8004Export
    address public immutable identity;
    /// @inheritdoc IERC8004Export
    address public immutable reputation;
    /// @inheritdoc IERC8004Export
    address public immutable validation;

    mapping(address provider => uint256) private _agents;
    /// @inheritdoc IERC8004Export
    mapping(address provider => bool) public isBound;
    /// @inheritdoc IERC8004Export
    mapping(address provider => uint256) public published;
    /// @inheritdoc IERC8004Export
    mapping(JobId job => bool) public isPublished;

    /// @param reputation_ Its identity registry has to be the validations' too.
    constructor(address escrow_, address reputation_, address validation_) {
        if (escrow_ == address(0) || reputation_ == address(0) || validation_ == address(0)) revert ZeroAddress();
        escrow = escrow_;
        reputation = reputation_;
        validation = validation_;
        identity = IERC8004Reputation(reputation_).getIdentityRegistry();
        address other = IERC8004Validation(validation_).getIdentityRegistry();
        if (other != identity) revert OtherIdentity(validation_, other);
    }

    /// @inheritdoc IERC8004Export
    function bind(uint256 agentId) external {
        if (isBound[msg.sender]) revert AlreadyBound(msg.sender, _agents[msg.sender]);
        bool owns = IERC8004Identity(identity).ownerOf(agentId) == msg.sender;
        if (!owns && IERC8004Identity(identity).getAgentWallet(agentId) != msg.sender) {
            revert CallerNotAgent(msg.sender, agentId);
        }
        isBound[msg.sender] = true;
        _agents[msg.sender] = agentId;
        emit AgentBound(msg.sender, agentId);
    }

    /// @inheritdoc IERC8004Export
    function publish(Terms calldata terms) external {
        (JobId id, uint16 shareBps, string memory how) = _said(terms);
        if (isPublished[id]) revert AlreadyPublished(id);
        uint256 agentId = agentOf(terms.provider);
        isPublished[id] = true;
        ++published[terms.provider];
        // The registry counts from one.
        uint64 index = IERC8004Reputation(reputation).getLastIndex(agentId, address(this)) + 1;
        emit FeedbackPublished(id, agentId, index, shareBps);
        IERC8004Reputation(reputation)
            .giveFeedback(agentId, int128(uint128(shareBps)), DECIMALS, STARRED, how, "", "", bytes32(0));
    }

    /// @inheritdoc IERC8004Export
    function validate(Terms calldata terms) external {
        (JobId id, uint16 shareBps, string memory how) = _said(terms);
        uint256 agentId = agentOf(terms.provider);
        bytes32 requestHash = requestHashOf(id);
        (address validator, uint256 of_,,,,) = IERC8004Validation(validation).getValidationStatus(requestHash);
        if (validator != address(this) || of_ != agentId) revert NotRequested(id, requestHash);
        uint8 response = uint8(shareBps / BPS_OF_PERCENT);
        emit ValidationPublished(id, agentId, requestHash, response);
        IERC8004Validation(validation).validationResponse(requestHash, response, "", JobId.unwrap(id), how);
    }

    /// @inheritdoc IERC8004Export
    function saidOf(Terms calldata terms) external view returns (uint16 shareBps, string memory how) {
        (, shareBps, how) = _said(terms);
    }

    /// @inheritdoc IERC8004Export
    function requestHashOf(JobId job) public view returns (bytes32) {
        return keccak256(abi.encode(job, address(this)));
    }

    /// @inheritdoc IERC8004Export
    function agentOf(address provider) public view returns (uint256 agentId) {
        if (!isBound[provider]) revert NotBound(provider);
        return _agents[provider];
    }

    /// @dev Of a closed job the accepted units are the settled ones.
    function _said(Terms calldata terms) private view returns (JobId id, uint16 shareBps, string memory how) {
        id = IJobEscrow(escrow).jobIdOf(terms);
        Job memory job = IJobEscrow(escrow).jobOf(id);
        if (job.state != JobState.Closed || job.closedBy == ClosedBy.Cancelled) revert NotSettled(id);
        bool afterFail = job.closedBy == ClosedBy.Agreed && job.outcome == Outcome.Fail;
        if (!job.failed && (job.accepted == 0 || afterFail)) revert SaysNothing(id);
        if (!job.failed) shareBps = job.outcome == Outcome.Pass ? job.qualityBps : FULL_BPS;
        how = _nameOf(job.closedBy);
    }

    function _nameOf(ClosedBy cause) private pure returns (string memory) {
        if (cause == ClosedBy.Attested) return "attested";
        if (cause == ClosedBy.Finalized) return "finalized";
        if (cause == ClosedBy.Ruled) return "ruled";
        if (cause == ClosedBy.Agreed) return "agreed";
        if (cause == ClosedBy.Reclaimed) return "reclaimed";
        return "disputed by default";
    }
}
