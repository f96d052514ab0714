// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IComputeCredit} from "./interfaces/IComputeCredit.sol";

contract ComputeCredit is IComputeCredit, ERC20Permit {
    using SafeERC20 for IERC20;

    /// @inheritdoc IComputeCredit
    uint256 public constant MAX_SUPPLY = type(uint104).max;
    /// @inheritdoc IComputeCredit
    address public immutable reserve;
    /// @inheritdoc IComputeCredit
    uint256 public immutable scale;

    constructor(address reserve_) ERC20("Compute Credit", "CRED") ERC20Permit("Compute Credit") {
        uint8 places = IERC20Metadata(reserve_).decimals();
        if (places > decimals()) revert TooManyDecimals(places, decimals());
        reserve = reserve_;
        scale = 10 ** (decimals() - places);
    }

    /// @inheritdoc IComputeCredit
    function mint(address to, uint256 reserveAmount) external returns (uint256 credits) {
        return _swapIn(to, reserveAmount);
    }

    /// @inheritdoc IComputeCredit
    function mintWithPermit(address to, uint256 reserveAmount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
        returns (uint256 credits)
    {
        try IERC20Permit(reserve).permit(msg.sender, address(this), reserveAmount, deadline, v, r, s) {} catch {}
        return _swapIn(to, reserveAmount);
    }

    /// @inheritdoc IComputeCredit
    function redeem(address to, uint256 credits) external returns (uint256 reserveAmount) {
        if (credits == 0) revert NothingToSwap();
        if (credits % scale != 0) revert NotWholeReserveUnits(credits, scale);
        reserveAmount = credits / scale;
        _burn(msg.sender, credits);
        emit Redeemed(msg.sender, to, reserveAmount, credits);
        IERC20(reserve).safeTransfer(to, reserveAmount);
    }

    /// @dev What arrived is measured: a reserve that takes a fee on transfers must not mint unbacked credits.
    function _swapIn(address to, uint256 reserveAmount) private returns (uint256 credits) {
        if (reserveAmount == 0) revert NothingToSwap();
        uint256 before = IERC20(reserve).balanceOf(address(this));
        IERC20(reserve).safeTransferFrom(msg.sender, address(this), reserveAmount);
        uint256 received = IERC20(reserve).balanceOf(address(this)) - before;
        if (received != reserveAmount) revert ReserveMismatch(received, reserveAmount);
        credits = reserveAmount * scale;
        uint256 supply = totalSupply() + credits;
        if (supply > MAX_SUPPLY) revert SupplyTooLarge(supply, MAX_SUPPLY);
        _mint(to, credits);
        emit Minted(msg.sender, to, reserveAmount, credits);
    }
}
