// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IComputeCredit} from "../interfaces/IComputeCredit.sol";
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
    mapping(address account => Holding) private _accounts;

    /// @dev An account's word by reference, so that its place is hashed once a movement.
    struct Holding {
        AccountSlot slot;
    }

    constructor(address credit_) {
        if (credit_ == address(0)) revert ZeroAddress();
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
        _permit(credit, msg.sender, amount, deadline, v, r, s);
        _deposit(account, amount);
    }

    /// @inheritdoc IJobEscrow
    function withdraw(address to, uint104 amount) external {
        if (to == address(this)) revert InvalidReceiver(to);
        _debit(msg.sender, amount);
        emit Withdrawn(msg.sender, to, amount);
        _push(to, amount);
    }

    function _deposit(address account, uint104 amount) internal {
        if (account == address(0)) revert ZeroAddress();
        _credit(account, amount);
        emit Deposited(account, msg.sender, amount);
        _pull(msg.sender, amount);
    }

    // ---------------------------------------------------------------- consent and nonces

    /// @inheritdoc IJobEscrow
    function setSpendingConsent(bool optedIn) external {
        Holding storage holding = _accounts[msg.sender];
        Account memory account = holding.slot.unpack();
        account.optedIn = optedIn;
        holding.slot = AccountPacking.pack(account);
        emit SpendingConsentChanged(msg.sender, optedIn);
    }

    /// @inheritdoc IJobEscrow
    function cancelBelow(uint48 minNonce) external {
        Holding storage holding = _accounts[msg.sender];
        Account memory account = holding.slot.unpack();
        if (minNonce <= account.minNonce || minNonce > MAX_NONCE + 1) {
            revert NonceOutOfRange(minNonce, account.minNonce + 1, MAX_NONCE + 1);
        }
        account.minNonce = minNonce;
        holding.slot = AccountPacking.pack(account);
        emit NoncesCancelled(msg.sender, minNonce);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IJobEscrow
    function accountOf(address account) external view returns (Account memory) {
        return _accounts[account].slot.unpack();
    }

    // ---------------------------------------------------------------- ledger

    function _holding(address account) internal view returns (Holding storage) {
        return _accounts[account];
    }

    function _credit(address account, uint104 amount) internal {
        if (amount == 0) return;
        Holding storage holding = _accounts[account];
        holding.slot = holding.slot.plusFree(amount);
    }

    function _debit(address account, uint104 amount) internal {
        Holding storage holding = _accounts[account];
        holding.slot = _taken(holding.slot, account, amount);
    }

    /// @dev Nothing is stored.
    function _taken(AccountSlot slot, address account, uint104 amount) internal pure returns (AccountSlot) {
        if (slot.free() < amount) revert InsufficientFree(account, slot.free(), amount);
        return slot.minusFree(amount);
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
    function _permit(address token, address holder, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        internal
    {
        try IERC20Permit(token).permit(holder, address(this), amount, deadline, v, r, s) {} catch {}
    }

    // ---------------------------------------------------------------- reserve

    /// @dev The reserve behind the credits, the units of it that mint `amount` at least, and how much more they mint.
    function _reserveFor(uint104 amount) internal view returns (address reserve, uint256 units, uint104 change) {
        reserve = IComputeCredit(credit).reserve();
        uint256 scale = IComputeCredit(credit).scale();
        units = (amount + scale - 1) / scale;
        change = uint104(units * scale - amount);
    }

    /// @dev Units of the reserve in the payer's wallet become credits of the escrow.
    function _mintFrom(address reserve, address payer, uint256 units) internal {
        IERC20(reserve).safeTransferFrom(payer, address(this), units);
        IERC20(reserve).forceApprove(credit, units);
        IComputeCredit(credit).mint(address(this), units);
    }
}
