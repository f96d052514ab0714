// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IArbitrator} from "../../../contracts/interfaces/IArbitrator.sol";
import {ICourtArbiter} from "../../../contracts/interfaces/ICourtArbiter.sol";

/// @notice A court as outside ones are: paid in the chain's coin, it rules by calling back.
contract OutsideCourt is IArbitrator {
    uint256 public constant COST = 1e15;
    uint256 private opened;

    function createDispute(uint256 choices, bytes calldata extraData) external payable returns (uint256) {
        require(msg.value >= COST && choices == 3 && keccak256(extraData) == keccak256("jury"), "not paid");
        return ++opened;
    }

    function arbitrationCost(bytes calldata) external pure returns (uint256) {
        return COST;
    }

    function giveRuling(ICourtArbiter arbitrable, uint256 disputeId, uint256 ruling) external {
        arbitrable.rule(disputeId, ruling);
    }
}
