// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../interfaces/IJobEscrow.sol";
import {RatesPacking, RatesSlot} from "../libraries/RatesSlot.sol";
import {Parameters} from "../types/Parameters.sol";

/// @notice The parameters of the escrow, their owner and the guardian. None of it reaches a job that is already open.
abstract contract Governance is IJobEscrow {
    /// @inheritdoc IJobEscrow
    uint16 public constant MAX_FEE_BPS = 500;
    /// @inheritdoc IJobEscrow
    uint24 public constant MAX_BOND_BPS = 200_000;
    /// @inheritdoc IJobEscrow
    uint32 public constant MAX_MIN_DISPUTE_WINDOW = 7 days;
    /// @inheritdoc IJobEscrow
    uint24 public constant MAX_MAX_LOCKED = RatesPacking.MAX_LOCKED_MASK;

    /// @inheritdoc IJobEscrow
    address public immutable owner;
    /// @inheritdoc IJobEscrow
    address public treasury;
    address private _guardian;
    RatesSlot internal _rates;

    constructor(address owner_, Parameters memory parameters_) {
        if (owner_ == address(0)) revert ZeroAddress();
        owner = owner_;
        _setParameters(parameters_);
    }

    /// @inheritdoc IJobEscrow
    function setParameters(Parameters calldata parameters_) external {
        if (msg.sender != owner) revert CallerNotOwner(msg.sender, owner);
        _setParameters(parameters_);
    }

    /// @inheritdoc IJobEscrow
    function pause() external {
        _setPaused(true);
        emit Paused(msg.sender);
    }

    /// @inheritdoc IJobEscrow
    function unpause() external {
        _setPaused(false);
        emit Unpaused(msg.sender);
    }

    /// @inheritdoc IJobEscrow
    function parameters() external view returns (Parameters memory current) {
        RatesSlot rates = _rates;
        for (uint256 tier; tier < RatesPacking.TIERS; ++tier) {
            current.feeBps[tier] = rates.feeBps(tier);
            current.bondBps[tier] = rates.bondBps(tier);
            current.maxLocked[tier] = rates.maxLockedCredits(tier);
        }
        current.minDisputeWindow = rates.minDisputeWindow();
        current.treasury = treasury;
        current.guardian = _guardian;
    }

    /// @inheritdoc IJobEscrow
    function paused() external view returns (bool) {
        return _rates.paused();
    }

    function _setPaused(bool paused_) private {
        if (msg.sender != _guardian && msg.sender != owner) revert CallerNotGuardian(msg.sender, _guardian);
        _rates = _rates.withPaused(paused_);
    }

    function _setParameters(Parameters memory p) private {
        if (p.treasury == address(0)) revert ZeroAddress();
        for (uint256 tier; tier < RatesPacking.TIERS; ++tier) {
            if (p.feeBps[tier] > MAX_FEE_BPS) revert ShareTooLarge(p.feeBps[tier], MAX_FEE_BPS);
            if (p.bondBps[tier] > MAX_BOND_BPS) revert ShareTooLarge(p.bondBps[tier], MAX_BOND_BPS);
            if (p.maxLocked[tier] > MAX_MAX_LOCKED) revert CapTooLarge(p.maxLocked[tier], MAX_MAX_LOCKED);
        }
        if (p.minDisputeWindow > MAX_MIN_DISPUTE_WINDOW) {
            revert WindowOutOfRange(p.minDisputeWindow, 0, MAX_MIN_DISPUTE_WINDOW);
        }
        treasury = p.treasury;
        _guardian = p.guardian;
        _rates = RatesPacking.pack(p, _rates.paused());
        emit ParametersChanged(p.feeBps, p.bondBps, p.maxLocked, p.minDisputeWindow, p.treasury, p.guardian);
    }
}
