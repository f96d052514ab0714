// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IJobEscrow} from "../interfaces/IJobEscrow.sol";
import {AccountPacking, AccountSlot} from "../libraries/AccountSlot.sol";
import {Account} from "../types/Account.sol";

/// @notice Whose credits are in the escrow: one word an account, and the fees.
/// Tokens held = Σ free + Σ locked + fees, plus whatever somebody donates.
abstract contract Custody is IJobEscrow {
    using SafeERC20 for IERC20;

    /// @inheritdoc IJobEscrow
    uint48 public constant MAX_NONCE = 2 ** 47 - 2;

    /// @inheritdoc IJobEscrow
    address public immutable credit;
    /// @inheritdoc IJobEscrow
    uint104 public fees;
    mapping(address account => AccountSlot) private _accounts;

    constructor(address credit_) {
        credit = credit_;
    }

    // ---------------------------------------------------------------- deposits and withdrawals

    /// @inheritdoc IJobEscrow
    function deposit(address account, uint104 amount) external {
        _deposit(account, amount);
    }

    /// @inheritdoc IJobEscrow
    function depositWithPermit(address account, uint104 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
    {
        _permit(msg.sender, amount, deadline, v, r, s);
        _deposit(account, amount);
    }

    /// @inheritdoc IJobEscrow
    function withdraw(address to, uint104 amount) external {
        if (to == address(this)) revert InvalidReceiver(to);
        _debit(msg.sender, amount);
        emit Withdrawn(msg.sender, to, amount);
        _push(to, amount);
    }

    function _deposit(address account, uint104 amount) private {
        if (account == address(0)) revert ZeroAddress();
        _credit(account, amount);
        emit Deposited(account, msg.sender, amount);
        _pull(msg.sender, amount);
    }

    // ---------------------------------------------------------------- consent and nonces

    /// @inheritdoc IJobEscrow
    function setSpendingConsent(bool optedIn) external {
        Account memory account = _load(msg.sender);
        account.optedIn = optedIn;
        _store(msg.sender, account);
        emit SpendingConsentChanged(msg.sender, optedIn);
    }

    /// @inheritdoc IJobEscrow
    function cancelBelow(uint48 minNonce) external {
        Account memory account = _load(msg.sender);
        if (minNonce <= account.minNonce || minNonce > MAX_NONCE + 1) {
            revert NonceOutOfRange(minNonce, account.minNonce + 1, MAX_NONCE + 1);
        }
        account.minNonce = minNonce;
        _store(msg.sender, account);
        emit NoncesCancelled(msg.sender, minNonce);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IJobEscrow
    function accountOf(address account) external view returns (Account memory) {
        return _load(account);
    }

    // ---------------------------------------------------------------- ledger

    function _load(address account) internal view returns (Account memory) {
        return _accounts[account].unpack();
    }

    function _store(address account, Account memory value) internal {
        _accounts[account] = AccountPacking.pack(value);
    }

    function _credit(address account, uint104 amount) internal {
        if (amount == 0) return;
        Account memory value = _load(account);
        value.free += amount;
        _store(account, value);
    }

    function _debit(address account, uint104 amount) internal {
        Account memory value = _load(account);
        _takeFree(value, account, amount);
        _store(account, value);
    }

    /// @dev In memory only.
    function _takeFree(Account memory value, address account, uint104 amount) internal pure {
        if (value.free < amount) revert InsufficientFree(account, value.free, amount);
        unchecked {
            value.free -= amount;
        }
    }

    function _addFees(uint104 amount) internal {
        if (amount > 0) fees += amount;
    }

    // ---------------------------------------------------------------- token

    function _pull(address from, uint104 amount) internal {
        IERC20(credit).safeTransferFrom(from, address(this), amount);
    }

    function _push(address to, uint104 amount) internal {
        IERC20(credit).safeTransfer(to, amount);
    }

    /// @dev Ignores failure: anyone can use up a permit that it sees, and then the allowance stands already.
    function _permit(address holder, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) internal {
        try IERC20Permit(credit).permit(holder, address(this), amount, deadline, v, r, s) {} catch {}
    }
}
