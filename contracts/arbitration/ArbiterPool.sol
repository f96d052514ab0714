// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IArbitration} from "../interfaces/IArbitration.sol";
import {IJobEscrow} from "../interfaces/IJobEscrow.sol";
import {SeatSet} from "../libraries/SeatSet.sol";

/// @notice The arbiters: who may be seated, their stakes, and what they earned.
/// Tokens held = Σ stakes + Σ fees + what was paid for rounds that are not settled, plus whatever somebody donates.
abstract contract ArbiterPool is IArbitration {
    using SafeERC20 for IERC20;
    using SeatSet for uint256;

    uint256 private constant MAX_SEATS = 256;

    /// @inheritdoc IArbitration
    address public immutable escrow;
    /// @inheritdoc IArbitration
    address public immutable credit;
    /// @inheritdoc IArbitration
    address public immutable owner;

    Rules internal _rules;
    /// @dev Seats of active arbiters; a seat is free again when its stake was released.
    uint256 internal _seats;
    uint256 private _taken;
    mapping(address account => Arbiter) internal _arbiters;
    mapping(uint256 seat => address) internal _seatedAt;

    constructor(address escrow_, address owner_, Rules memory rules_, address[] memory named) {
        if (escrow_ == address(0) || owner_ == address(0)) revert ZeroAddress();
        escrow = escrow_;
        credit = IJobEscrow(escrow_).credit();
        owner = owner_;
        _rules = rules_;
        for (uint256 i; i < named.length; ++i) {
            _name(named[i]);
        }
    }

    // ---------------------------------------------------------------- coming and going

    /// @inheritdoc IArbitration
    function join() external {
        Arbiter storage arbiter = _arbiters[msg.sender];
        if (!arbiter.named) revert NotNamed(msg.sender);
        if (arbiter.active || arbiter.leftAt != 0) revert AlreadyJoined(msg.sender);
        // One whose stake a penalty made too small is still in its seat, and brings what is missing.
        uint104 missing = _rules.stake - arbiter.stake;
        if (_seatedAt[arbiter.seat] != msg.sender) {
            uint256 seat = _taken.lowestFree(MAX_SEATS);
            _taken |= 1 << seat;
            _seatedAt[seat] = msg.sender;
            arbiter.seat = uint8(seat);
        }
        _seats |= 1 << arbiter.seat;
        arbiter.active = true;
        arbiter.stake = _rules.stake;
        emit ArbiterJoined(msg.sender, arbiter.seat, _rules.stake);
        IERC20(credit).safeTransferFrom(msg.sender, address(this), missing);
    }

    /// @inheritdoc IArbitration
    function leave() external {
        _leave(msg.sender);
    }

    /// @inheritdoc IArbitration
    function release() external {
        Arbiter storage arbiter = _arbiters[msg.sender];
        if (arbiter.leftAt == 0) revert NotJoined(msg.sender);
        uint256 due = uint256(arbiter.leftAt) + _rules.unbonding;
        if (block.timestamp <= due) revert StillUnbonding(block.timestamp, due);
        if (arbiter.sitting > 0) revert StillSitting(msg.sender, arbiter.sitting);
        uint104 stake = arbiter.stake;
        arbiter.stake = 0;
        arbiter.leftAt = 0;
        _taken ^= 1 << arbiter.seat;
        delete _seatedAt[arbiter.seat];
        emit StakeReleased(msg.sender, stake);
        IERC20(credit).safeTransfer(msg.sender, stake);
    }

    /// @inheritdoc IArbitration
    function withdrawFees(address to) external {
        if (to == address(0)) revert ZeroAddress();
        uint104 amount = _arbiters[msg.sender].fees;
        _arbiters[msg.sender].fees = 0;
        emit FeesWithdrawn(msg.sender, to, amount);
        IERC20(credit).safeTransfer(to, amount);
    }

    /// @inheritdoc IArbitration
    function name(address arbiter) external {
        if (msg.sender != owner) revert CallerNotOwner(msg.sender, owner);
        _name(arbiter);
    }

    /// @inheritdoc IArbitration
    function dismiss(address account) external {
        if (msg.sender != owner) revert CallerNotOwner(msg.sender, owner);
        Arbiter storage arbiter = _arbiters[account];
        if (!arbiter.named) revert NotNamed(account);
        arbiter.named = false;
        emit ArbiterDismissed(account);
        if (_isIn(account, arbiter)) _leave(account);
    }

    function _name(address account) private {
        if (account == address(0)) revert ZeroAddress();
        if (_arbiters[account].named) revert AlreadyNamed(account);
        _arbiters[account].named = true;
        emit ArbiterNamed(account);
    }

    function _leave(address account) private {
        Arbiter storage arbiter = _arbiters[account];
        if (!_isIn(account, arbiter)) revert NotJoined(account);
        if (arbiter.active) _seats ^= 1 << arbiter.seat;
        arbiter.active = false;
        arbiter.leftAt = uint40(block.timestamp);
        emit ArbiterLeft(account, arbiter.leftAt);
    }

    /// @dev Has a seat and has not asked to leave; active or with too small a stake.
    function _isIn(address account, Arbiter storage arbiter) private view returns (bool) {
        return arbiter.leftAt == 0 && _seatedAt[arbiter.seat] == account;
    }

    // ---------------------------------------------------------------- sitting

    function _sitDown(uint256 seats) internal {
        for (uint256 seat; seats >> seat != 0; ++seat) {
            if (seats.has(seat)) ++_arbiters[_seatedAt[seat]].sitting;
        }
    }

    /// @dev Ends one sitting and takes up to `penalty` of the stake, after which less than a whole stake is active no longer.
    function _standUp(uint256 seat, uint104 penalty) internal returns (address account, uint104 taken) {
        account = _seatedAt[seat];
        Arbiter storage arbiter = _arbiters[account];
        --arbiter.sitting;
        taken = penalty < arbiter.stake ? penalty : arbiter.stake;
        if (taken == 0) return (account, 0);
        arbiter.stake -= taken;
        if (arbiter.active) _seats ^= 1 << seat;
        arbiter.active = false;
    }

    function _without(uint256 seats, address account) internal view returns (uint256) {
        uint256 seat = _arbiters[account].seat;
        return _seatedAt[seat] == account ? seats & ~(1 << seat) : seats;
    }

    function _accountsIn(uint256 seats) internal view returns (address[] memory accounts) {
        accounts = new address[](seats.count());
        uint256 filled;
        for (uint256 seat; seats >> seat != 0; ++seat) {
            if (seats.has(seat)) accounts[filled++] = _seatedAt[seat];
        }
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IArbitration
    function arbiterOf(address account) external view returns (Arbiter memory) {
        return _arbiters[account];
    }

    /// @inheritdoc IArbitration
    function arbiters() external view returns (address[] memory) {
        return _accountsIn(_seats);
    }

    /// @inheritdoc IArbitration
    function rules() external view returns (Rules memory) {
        return _rules;
    }
}
