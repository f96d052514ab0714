// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title The compute-credit token: 18 decimals, minted one to one against a reserve token and redeemable for it at any time.
/// @notice Credits in circulation = reserve held · scale, plus whatever reserve somebody donates. There is no owner, no pause and no list of
/// accounts.
interface IComputeCredit {
    /// `reserveAmount` in the reserve's smallest unit, `credits` in atoms of credit.
    event Minted(address indexed from, address indexed to, uint256 reserveAmount, uint256 credits);
    event Redeemed(address indexed from, address indexed to, uint256 reserveAmount, uint256 credits);

    /// The reserve has more decimals than a credit.
    error TooManyDecimals(uint8 decimals, uint8 limit);
    /// The reserve token took a fee on the way, or sent more than it was asked for.
    error ReserveMismatch(uint256 received, uint256 expected);
    error SupplyTooLarge(uint256 supply, uint256 limit);
    /// Only whole units of the reserve can be paid out: `credits` has to be a multiple of `scale`.
    error NotWholeReserveUnits(uint256 credits, uint256 scale);
    error NothingToSwap();

    /// @notice Takes `reserveAmount` of the reserve from the caller, by its allowance, and mints as many credits, scaled, to `to`.
    function mint(address to, uint256 reserveAmount) external returns (uint256 credits);

    /// @notice `mint` with the caller's EIP-2612 permit of the reserve for `reserveAmount`. A permit that fails (used before, by anyone) is
    /// ignored, and the allowance decides.
    function mintWithPermit(address to, uint256 reserveAmount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
        returns (uint256 credits);

    /// @notice Burns `credits` of the caller and pays their reserve to `to`.
    function redeem(address to, uint256 credits) external returns (uint256 reserveAmount);

    function reserve() external view returns (address);

    /// @notice Atoms of credit for the reserve's smallest unit: 10^(18 − reserve decimals).
    function scale() external view returns (uint256);

    /// @notice No amount of credits exceeds it, so that every amount fits the escrow's slots.
    function MAX_SUPPLY() external view returns (uint256);
}
