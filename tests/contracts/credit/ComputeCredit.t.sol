// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

import {IComputeCredit} from "../../../contracts/interfaces/IComputeCredit.sol";
import {Deployment} from "../fixture/Deployment.sol";
import {ICredit} from "../fixture/Tokens.sol";

/// @notice A reserve of any number of decimals that keeps one unit of every transfer.
contract GreedyReserve is ERC20("Greedy", "GRD") {
    uint8 private immutable PLACES;

    constructor(uint8 places) {
        PLACES = places;
    }

    function decimals() public view override returns (uint8) {
        return PLACES;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (from != address(0) && to != address(0)) super._update(to, address(0), 1);
    }
}

/// @notice `ComputeCredit.tree`.
contract ComputeCreditTest is Deployment {
    uint256 private constant SCALE = 1e12;
    address private holder;

    function setUp() public override {
        super.setUp();
        holder = actor("holder");
        reserve.mint(holder, 1_000e6);
        vm.prank(holder);
        reserve.approve(address(credit), type(uint256).max);
    }

    function test_Birth_KnowsItsReserve_AndScale() external view {
        vm.assertEq(credit.reserve(), address(reserve));
        vm.assertEq(credit.scale(), SCALE);
        vm.assertEq(uint256(credit.decimals()), 18);
        vm.assertEq(uint256(reserve.decimals()), 6);
        vm.assertEq(credit.MAX_SUPPLY(), type(uint104).max);
    }

    function createCredit(address reserve_) external returns (address) {
        return create("ComputeCredit", abi.encode(reserve_));
    }

    function test_Constructor_RevertWhen_TheReserveHasMoreDecimals() external {
        address fine = address(new GreedyReserve(19));
        vm.expectRevert(abi.encodeWithSelector(IComputeCredit.TooManyDecimals.selector, 19, 18));
        this.createCredit(fine);
    }

    // ---------------------------------------------------------------- mint

    function testFuzz_Mint_ScalesExactly(uint256 seed) external {
        uint256 amount = bound(seed, 1, 1_000e6);
        vm.expectEmit(address(credit));
        emit IComputeCredit.Minted(holder, treasury, amount, amount * SCALE);
        vm.prank(holder);
        uint256 credits = credit.mint(treasury, amount);

        vm.assertEq(credits, amount * SCALE);
        vm.assertEq(credit.balanceOf(treasury), credits);
        vm.assertEq(reserve.balanceOf(address(credit)) * SCALE, credit.totalSupply());
    }

    function test_MintWithPermit_NeedsNoAllowance() external {
        vm.prank(holder);
        reserve.approve(address(credit), 0);
        (uint8 v, bytes32 r, bytes32 s) = permit(reserve, holder, address(credit), 5e6);
        vm.prank(holder);
        credit.mintWithPermit(holder, 5e6, block.timestamp, v, r, s);
        vm.assertEq(credit.balanceOf(holder), 5e18);
    }

    function test_MintWithPermit_ThatSomebodyUsedBefore_GoesByTheAllowance() external {
        (uint8 v, bytes32 r, bytes32 s) = permit(reserve, holder, address(credit), 5e6);
        reserve.permit(holder, address(credit), 5e6, block.timestamp, v, r, s);
        vm.prank(holder);
        credit.mintWithPermit(holder, 5e6, block.timestamp, v, r, s);
        vm.assertEq(credit.balanceOf(holder), 5e18);
    }

    function test_Mint_RevertWhen_Nothing() external {
        vm.expectRevert(IComputeCredit.NothingToSwap.selector);
        credit.mint(holder, 0);
    }

    function test_Mint_RevertWhen_TheAllowanceIsTooSmall() external {
        vm.startPrank(holder);
        reserve.approve(address(credit), 4e6);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(credit), 4e6, 5e6)
        );
        credit.mint(holder, 5e6);
    }

    function test_Mint_RevertWhen_TheReserveKeepsAFee() external {
        GreedyReserve greedy = new GreedyReserve(6);
        ICredit other = ICredit(create("ComputeCredit", abi.encode(greedy)));
        greedy.mint(address(this), 100);
        greedy.approve(address(other), 100);
        vm.expectRevert(abi.encodeWithSelector(IComputeCredit.ReserveMismatch.selector, 99, 100));
        other.mint(address(this), 100);
    }

    function test_Mint_RevertWhen_TheSupplyWouldNotFitAnAmount() external {
        uint256 most = uint256(type(uint104).max) / SCALE;
        reserve.mint(holder, most + 1);
        vm.prank(holder);
        credit.mint(holder, most);
        vm.expectRevert(
            abi.encodeWithSelector(
                IComputeCredit.SupplyTooLarge.selector, (most + 1) * SCALE, uint256(type(uint104).max)
            )
        );
        vm.prank(holder);
        credit.mint(holder, 1);
    }

    // ---------------------------------------------------------------- redeem

    function testFuzz_Redeem_PaysTheReserveBack(uint256 seed) external {
        uint256 amount = bound(seed, 1, 1_000e6);
        vm.startPrank(holder);
        credit.mint(holder, 1_000e6);

        vm.expectEmit(address(credit));
        emit IComputeCredit.Redeemed(holder, treasury, amount, amount * SCALE);
        uint256 paid = credit.redeem(treasury, amount * SCALE);

        vm.assertEq(paid, amount);
        vm.assertEq(reserve.balanceOf(treasury), amount);
        vm.assertEq(reserve.balanceOf(address(credit)) * SCALE, credit.totalSupply());
    }

    function test_Redeem_RevertWhen_Nothing() external {
        vm.expectRevert(IComputeCredit.NothingToSwap.selector);
        credit.redeem(holder, 0);
    }

    function testFuzz_Redeem_RevertWhen_NotWholeUnitsOfTheReserve(uint256 seed) external {
        uint256 credits = bound(seed, 1, 1_000e18);
        if (credits % SCALE == 0) ++credits;
        vm.expectRevert(abi.encodeWithSelector(IComputeCredit.NotWholeReserveUnits.selector, credits, SCALE));
        credit.redeem(holder, credits);
    }

    function test_Redeem_RevertWhen_MoreThanTheCallerHas() external {
        vm.startPrank(holder);
        credit.mint(holder, 1e6);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, holder, 1e18, 2e18));
        credit.redeem(holder, 2e18);
    }

    function test_ADonationOfReserve_MintsNothing() external {
        vm.startPrank(holder);
        credit.mint(holder, 1e6);
        reserve.transfer(address(credit), 1e6);
        vm.assertEq(credit.totalSupply(), 1e18);
        credit.redeem(holder, 1e18);
        vm.assertEq(reserve.balanceOf(address(credit)), 1e6);
    }

    // ---------------------------------------------------------------- the development reserve

    function test_TheDevelopmentReserve_IsMintedByAnybody() external {
        vm.prank(holder);
        reserve.mint(treasury, 7);
        vm.assertEq(reserve.balanceOf(treasury), 7);
    }

    function test_TheDevelopmentReserve_TakesPermits() external {
        (uint8 v, bytes32 r, bytes32 s) = permit(reserve, holder, address(credit), 3);
        vm.prank(holder);
        reserve.approve(address(credit), 0);
        reserve.permit(holder, address(credit), 3, block.timestamp, v, r, s);
        vm.assertEq(reserve.allowance(holder, address(credit)), 3);
    }
}
