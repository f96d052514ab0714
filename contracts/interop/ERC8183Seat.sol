// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IERC8183Adapter} from "../interfaces/IERC8183Adapter.sol";
import {IERC8183Seat} from "../interfaces/IERC8183Seat.sol";
import {IJobEscrow} from "../interfaces/IJobEscrow.sol";
import {IProviderRegistry} from "../interfaces/IProviderRegistry.sol";
import {Attestation} from "../types/Attestation.sol";
import {Terms} from "../types/Terms.sol";

/// @dev One is created with the adapter, without owner, and each seat is a minimal clone of it (EIP-1167).
contract ERC8183Seat is IERC8183Seat, IERC1271 {
    using SafeERC20 for IERC20;

    bytes4 private constant NOT_VALID = 0xffffffff;

    /// @inheritdoc IERC8183Seat
    address public immutable adapter;
    IJobEscrow private immutable ESCROW;
    IERC20 private immutable CREDIT;
    IProviderRegistry private immutable REGISTRY;
    /// @inheritdoc IERC8183Seat
    address public owner;

    modifier onlyOwner() {
        if (msg.sender != owner) revert CallerNotOwner(msg.sender, owner);
        _;
    }

    modifier onlyAdapter() {
        if (msg.sender != adapter) revert CallerNotAdapter(msg.sender, adapter);
        _;
    }

    constructor(IJobEscrow escrow) {
        adapter = msg.sender;
        ESCROW = escrow;
        CREDIT = IERC20(escrow.credit());
        REGISTRY = IProviderRegistry(escrow.registry());
    }

    /// @inheritdoc IERC8183Seat
    function take(address owner_) external onlyAdapter {
        owner = owner_;
        ESCROW.setSpendingConsent(true);
    }

    // ---------------------------------------------------------------- the owner

    /// @inheritdoc IERC8183Seat
    function enter(uint104 stake) external onlyOwner {
        _takeFromOwner(stake);
        REGISTRY.register(stake);
    }

    /// @inheritdoc IERC8183Seat
    function addStake(uint104 amount) external onlyOwner {
        _takeFromOwner(amount);
        REGISTRY.addStake(amount);
    }

    /// @inheritdoc IERC8183Seat
    function withdraw(uint104 amount) external onlyOwner {
        ESCROW.withdraw(owner, amount);
    }

    /// @inheritdoc IERC8183Seat
    function requestExit() external onlyOwner {
        REGISTRY.requestExit();
    }

    /// @inheritdoc IERC8183Seat
    function exit() external onlyOwner {
        REGISTRY.exit();
        CREDIT.safeTransfer(owner, CREDIT.balanceOf(address(this)));
    }

    function _takeFromOwner(uint104 amount) private {
        CREDIT.safeTransferFrom(owner, address(this), amount);
        CREDIT.forceApprove(address(REGISTRY), amount);
    }

    // ---------------------------------------------------------------- the adapter

    /// @inheritdoc IERC8183Seat
    function settle(Terms calldata terms, Attestation calldata attestation, uint104 pay) external onlyAdapter {
        ESCROW.attest(terms, attestation, "");
        ESCROW.withdraw(owner, pay);
    }

    /// @inheritdoc IERC1271
    function isValidSignature(bytes32 digest, bytes calldata) external view returns (bytes4) {
        return IERC8183Adapter(adapter).voiced() == digest ? IERC1271.isValidSignature.selector : NOT_VALID;
    }
}
