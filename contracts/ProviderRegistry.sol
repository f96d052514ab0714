// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IJobEscrow} from "./interfaces/IJobEscrow.sol";
import {IProviderRegistry} from "./interfaces/IProviderRegistry.sol";
import {Vesting} from "./libraries/Vesting.sol";

contract ProviderRegistry is IProviderRegistry {
    using SafeERC20 for IERC20;
    using Vesting for IProviderRegistry.Reward;

    /// @inheritdoc IProviderRegistry
    uint32 public constant MAX_UNBONDING = 30 days;
    /// @inheritdoc IProviderRegistry
    address public immutable credit;
    /// @inheritdoc IProviderRegistry
    address public immutable owner;
    /// @inheritdoc IProviderRegistry
    address public immutable escrow;
    Rules private _rules;
    mapping(address provider => Provider) private _providers;
    mapping(address provider => mapping(bytes32 resource => bool)) private _listed;
    mapping(address provider => Reward) private _rewards;

    /// @param escrow_ Where the escrow is, or is going to be created: it has to know this registry from its own birth.
    constructor(address credit_, address owner_, Rules memory rules_, address escrow_) {
        if (credit_ == address(0) || owner_ == address(0) || escrow_ == address(0)) revert ZeroAddress();
        credit = credit_;
        owner = owner_;
        escrow = escrow_;
        _setRules(rules_);
    }

    // ---------------------------------------------------------------- providers

    /// @inheritdoc IProviderRegistry
    function register(uint104 stake) external {
        _register(stake);
    }

    /// @inheritdoc IProviderRegistry
    function registerWithPermit(uint104 stake, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external {
        try IERC20Permit(credit).permit(msg.sender, address(this), stake, deadline, v, r, s) {} catch {}
        _register(stake);
    }

    /// @inheritdoc IProviderRegistry
    function addStake(uint104 amount) external {
        _addStake(msg.sender, amount);
        IERC20(credit).safeTransferFrom(msg.sender, address(this), amount);
    }

    /// @inheritdoc IProviderRegistry
    function claimReward() external returns (uint104 amount) {
        Provider storage provider = _registered(msg.sender);
        Reward memory reward = _rewards[msg.sender].vestedBy(block.timestamp);
        uint104 stake = provider.stake;
        uint104 free = stake - provider.reserved;
        amount = reward.vested < free ? reward.vested : free;
        reward.vested -= amount;
        stake -= amount;
        _rewards[msg.sender] = reward;
        provider.stake = stake;
        emit RewardClaimed(msg.sender, amount, stake);
        _delistBelowLeast(msg.sender, stake);
        IERC20(credit).safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc IProviderRegistry
    function listResource(bytes32 resource) external {
        _registered(msg.sender);
        if (_listed[msg.sender][resource]) revert ResourceKnown(resource);
        _listed[msg.sender][resource] = true;
        emit ResourceListed(msg.sender, resource);
    }

    /// @inheritdoc IProviderRegistry
    function retireResource(bytes32 resource) external {
        if (!_listed[msg.sender][resource]) revert ResourceUnknown(resource);
        _listed[msg.sender][resource] = false;
        emit ResourceRetired(msg.sender, resource);
    }

    /// @inheritdoc IProviderRegistry
    function requestExit() external {
        Provider storage provider = _registered(msg.sender);
        if (provider.exitRequestedAt != 0) revert AlreadyLeaving(provider.exitRequestedAt);
        provider.exitRequestedAt = uint40(block.timestamp);
        provider.unbonding = _rules.unbonding;
        emit ExitRequested(msg.sender, provider.exitRequestedAt);
        IJobEscrow(escrow).setListed(msg.sender, false);
    }

    /// @inheritdoc IProviderRegistry
    function exit() external {
        Provider storage provider = _registered(msg.sender);
        if (provider.exitRequestedAt == 0) revert NotLeaving(msg.sender);
        uint256 due = uint256(provider.exitRequestedAt) + provider.unbonding;
        if (block.timestamp <= due) revert StillUnbonding(block.timestamp, due);
        uint104 locked = IJobEscrow(escrow).accountOf(msg.sender).locked;
        if (locked != 0) revert JobsStillLive(locked);
        uint104 stake = provider.stake;
        provider.stake = 0;
        provider.exitRequestedAt = 0;
        provider.unbonding = 0;
        delete _rewards[msg.sender];
        emit ProviderExited(msg.sender, stake);
        IERC20(credit).safeTransfer(msg.sender, stake);
    }

    function _register(uint104 stake) private {
        Rules memory current = _rules;
        Provider storage provider = _providers[msg.sender];
        if (provider.stake != 0) revert AlreadyRegistered(msg.sender);
        if (!current.openAdmission && !provider.admitted) revert NotAdmitted(msg.sender);
        // A stake of nothing could not be told from no provider.
        if (stake == 0 || stake < current.minStake) revert StakeTooSmall(stake, current.minStake);
        // A slash of the whole stake may have come while it was leaving.
        (provider.stake, provider.exitRequestedAt, provider.unbonding) = (stake, 0, 0);
        emit ProviderRegistered(msg.sender, stake);
        IJobEscrow(escrow).setListed(msg.sender, true);
        IERC20(credit).safeTransferFrom(msg.sender, address(this), stake);
    }

    function _addStake(address account, uint104 amount) private {
        Provider storage provider = _registered(account);
        if (provider.exitRequestedAt != 0) revert AlreadyLeaving(provider.exitRequestedAt);
        uint104 stake = provider.stake + amount;
        provider.stake = stake;
        emit StakeAdded(account, amount, stake);
        if (stake >= _rules.minStake && !isActive(account)) _setListed(account, true);
    }

    function _registered(address account) private view returns (Provider storage provider) {
        provider = _providers[account];
        if (provider.stake == 0) revert NotRegistered(account);
    }

    // ---------------------------------------------------------------- collateral

    /// @inheritdoc IProviderRegistry
    function reserve(address provider, uint104 amount) external {
        _requireEscrow();
        Provider storage known = _providers[provider];
        uint104 reserved = known.reserved;
        uint104 free = known.stake - reserved;
        if (free < amount) revert FreeStakeTooSmall(provider, free, amount);
        known.reserved = reserved + amount;
        emit StakeReserved(provider, amount, reserved + amount);
        IERC20(credit).safeTransfer(escrow, amount);
    }

    /// @inheritdoc IProviderRegistry
    function release(address provider, uint104 reserved, uint104 returned) external {
        _requireEscrow();
        Provider storage known = _providers[provider];
        uint104 left = known.reserved - reserved;
        known.reserved = left;
        emit StakeReleased(provider, returned, left);
        if (returned == reserved) return;
        uint104 lost = reserved - returned;
        uint104 stake = known.stake - lost;
        known.stake = stake;
        _rewards[provider] = _rewards[provider].vestedBy(block.timestamp).less(lost);
        emit StakeSlashed(provider, lost, stake);
        _delistBelowLeast(provider, stake);
    }

    /// @inheritdoc IProviderRegistry
    function stakeReward(address provider, uint104 amount) external {
        _requireEscrow();
        _addStake(provider, amount);
        Reward memory reward = _rewards[provider].vestedBy(block.timestamp);
        reward.unvested += amount;
        reward.end = uint40(block.timestamp + _rules.unbonding);
        _rewards[provider] = reward;
        emit RewardStaked(provider, amount, reward.end);
    }

    function _delistBelowLeast(address provider, uint104 stake) private {
        if ((stake == 0 || stake < _rules.minStake) && isActive(provider)) _setListed(provider, false);
    }

    function _setListed(address provider, bool listed) private {
        emit ListingChanged(provider, listed);
        IJobEscrow(escrow).setListed(provider, listed);
    }

    function _requireEscrow() private view {
        if (msg.sender != escrow) revert CallerNotEscrow(msg.sender, escrow);
    }

    // ---------------------------------------------------------------- rules

    /// @inheritdoc IProviderRegistry
    function setRules(Rules calldata rules_) external {
        if (msg.sender != owner) revert CallerNotOwner(msg.sender, owner);
        _setRules(rules_);
    }

    /// @inheritdoc IProviderRegistry
    function setAdmitted(address provider, bool admitted) external {
        if (msg.sender != owner) revert CallerNotOwner(msg.sender, owner);
        _providers[provider].admitted = admitted;
        emit AdmissionChanged(provider, admitted);
    }

    function _setRules(Rules memory rules_) private {
        if (rules_.unbonding > MAX_UNBONDING) revert UnbondingTooLong(rules_.unbonding, MAX_UNBONDING);
        _rules = rules_;
        emit RulesChanged(rules_.minStake, rules_.unbonding, rules_.openAdmission);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IProviderRegistry
    function isActive(address provider) public view returns (bool) {
        return IJobEscrow(escrow).isListed(provider);
    }

    /// @inheritdoc IProviderRegistry
    function providerOf(address provider) external view returns (Provider memory) {
        return _providers[provider];
    }

    /// @inheritdoc IProviderRegistry
    function rewardOf(address provider) external view returns (Reward memory) {
        return _rewards[provider].vestedBy(block.timestamp);
    }

    /// @inheritdoc IProviderRegistry
    function isListed(address provider, bytes32 resource) external view returns (bool) {
        return _listed[provider][resource];
    }

    /// @inheritdoc IProviderRegistry
    function rules() external view returns (Rules memory) {
        return _rules;
    }
}
