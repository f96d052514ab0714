// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {ERC721URIStorage} from "@openzeppelin/contracts/token/ERC721/extensions/ERC721URIStorage.sol";

/// @notice ERC-8004's identity registry as its text (of January 2026) and its deployed version 2 have it: what tests of the export need of it, with the same checks. No proxy.
contract AgentIdentity is ERC721URIStorage {
    uint256 private next;
    mapping(uint256 agentId => mapping(string key => bytes)) private metadata;

    event Registered(uint256 indexed agentId, string agentURI, address indexed owner);
    event MetadataSet(
        uint256 indexed agentId, string indexed indexedMetadataKey, string metadataKey, bytes metadataValue
    );

    constructor() ERC721("AgentIdentity", "AGENT") {}

    function register(string calldata agentURI) external returns (uint256 agentId) {
        agentId = next++;
        metadata[agentId]["agentWallet"] = abi.encodePacked(msg.sender);
        _safeMint(msg.sender, agentId);
        _setTokenURI(agentId, agentURI);
        emit Registered(agentId, agentURI, msg.sender);
        emit MetadataSet(agentId, "agentWallet", "agentWallet", abi.encodePacked(msg.sender));
    }

    function getAgentWallet(uint256 agentId) external view returns (address) {
        return address(bytes20(metadata[agentId]["agentWallet"]));
    }

    function isAuthorizedOrOwner(address spender, uint256 agentId) external view returns (bool) {
        return _isAuthorized(ownerOf(agentId), spender, agentId);
    }

    /// @dev A new owner has proved no wallet yet.
    function _update(address to, uint256 agentId, address auth) internal override returns (address) {
        if (_ownerOf(agentId) != address(0)) metadata[agentId]["agentWallet"] = "";
        return super._update(to, agentId, auth);
    }
}

/// @notice The reputation registry, likewise.
contract AgentReputation {
    int128 private constant MAX_ABS_VALUE = 1e38;
    AgentIdentity private immutable IDENTITY;

    struct Feedback {
        int128 value;
        uint8 valueDecimals;
        string tag1;
        string tag2;
        bool isRevoked;
    }

    mapping(uint256 agentId => mapping(address client => Feedback[])) private given;

    event NewFeedback(
        uint256 indexed agentId,
        address indexed clientAddress,
        uint64 feedbackIndex,
        int128 value,
        uint8 valueDecimals,
        string indexed indexedTag1,
        string tag1,
        string tag2,
        string endpoint,
        string feedbackURI,
        bytes32 feedbackHash
    );

    constructor(AgentIdentity identity) {
        IDENTITY = identity;
    }

    function getIdentityRegistry() external view returns (address) {
        return address(IDENTITY);
    }

    function giveFeedback(
        uint256 agentId,
        int128 value,
        uint8 valueDecimals,
        string memory tag1,
        string memory tag2,
        string memory endpoint,
        string memory feedbackURI,
        bytes32 feedbackHash
    ) external {
        require(valueDecimals <= 18, "too many decimals");
        require(value >= -MAX_ABS_VALUE && value <= MAX_ABS_VALUE, "value too large");
        require(!IDENTITY.isAuthorizedOrOwner(msg.sender, agentId), "Self-feedback not allowed");
        Feedback[] storage list = given[agentId][msg.sender];
        list.push(Feedback(value, valueDecimals, tag1, tag2, false));
        uint64 index = uint64(list.length);
        emit NewFeedback(
            agentId, msg.sender, index, value, valueDecimals, tag1, tag1, tag2, endpoint, feedbackURI, feedbackHash
        );
    }

    function getLastIndex(uint256 agentId, address client) external view returns (uint64) {
        return uint64(given[agentId][client].length);
    }

    function readFeedback(uint256 agentId, address client, uint64 index) external view returns (Feedback memory) {
        require(index > 0 && index <= given[agentId][client].length, "index out of bounds");
        return given[agentId][client][index - 1];
    }

    /// @dev Of one client, which is how the export is read, without tags; all values have the same decimals here.
    function getSummary(uint256 agentId, address client) external view returns (uint64 count, int128 average) {
        Feedback[] storage list = given[agentId][client];
        int256 sum;
        for (uint256 i; i < list.length; ++i) {
            if (list[i].isRevoked) continue;
            sum += list[i].value;
            ++count;
        }
        if (count > 0) average = int128(sum / int256(uint256(count)));
    }
}

/// @notice The validation registry, likewise.
contract AgentValidation {
    AgentIdentity private immutable IDENTITY;

    struct Status {
        address validatorAddress;
        uint256 agentId;
        uint8 response;
        bytes32 responseHash;
        string tag;
        uint256 lastUpdate;
    }

    mapping(bytes32 requestHash => Status) private statuses;

    event ValidationRequest(
        address indexed validatorAddress, uint256 indexed agentId, string requestURI, bytes32 indexed requestHash
    );
    event ValidationResponse(
        address indexed validatorAddress,
        uint256 indexed agentId,
        bytes32 indexed requestHash,
        uint8 response,
        string responseURI,
        bytes32 responseHash,
        string tag
    );

    constructor(AgentIdentity identity) {
        IDENTITY = identity;
    }

    function getIdentityRegistry() external view returns (address) {
        return address(IDENTITY);
    }

    function validationRequest(address validator, uint256 agentId, string calldata requestURI, bytes32 requestHash)
        external
    {
        require(validator != address(0), "bad validator");
        require(statuses[requestHash].validatorAddress == address(0), "exists");
        require(IDENTITY.isAuthorizedOrOwner(msg.sender, agentId), "Not authorized");
        statuses[requestHash] = Status(validator, agentId, 0, bytes32(0), "", block.timestamp);
        emit ValidationRequest(validator, agentId, requestURI, requestHash);
    }

    function validationResponse(
        bytes32 requestHash,
        uint8 response,
        string calldata responseURI,
        bytes32 responseHash,
        string calldata tag
    ) external {
        Status storage s = statuses[requestHash];
        require(s.validatorAddress != address(0), "unknown");
        require(msg.sender == s.validatorAddress, "not validator");
        require(response <= 100, "resp>100");
        (s.response, s.responseHash, s.tag, s.lastUpdate) = (response, responseHash, tag, block.timestamp);
        emit ValidationResponse(s.validatorAddress, s.agentId, requestHash, response, responseURI, responseHash, tag);
    }

    function getValidationStatus(bytes32 requestHash)
        external
        view
        returns (address, uint256, uint8, bytes32, string memory, uint256)
    {
        Status storage s = statuses[requestHash];
        require(s.validatorAddress != address(0), "unknown");
        return (s.validatorAddress, s.agentId, s.response, s.responseHash, s.tag, s.lastUpdate);
    }
}
