// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IStandings} from "../../../contracts/interfaces/IStandings.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {Account} from "../../../contracts/types/Account.sol";
import {Books} from "../fixture/Books.sol";

/// @notice `custody.tree`: deposits, withdrawals, consent and nonces.
contract CustodyTest is Books {
    uint104 private constant AMOUNT = 7e18;

    // ---------------------------------------------------------------- deposit

    function test_Deposit_CreditsTheNamedAccount_FromTheCallersWallet() external {
        fund(relayer, AMOUNT);
        vm.prank(relayer);
        credit.approve(address(escrow), AMOUNT);
        watch();

        vm.expectEmit(address(escrow));
        emit IJobEscrow.Deposited(buyer, relayer, AMOUNT);
        vm.prank(relayer);
        escrow.deposit(buyer, AMOUNT);

        moves(buyer, signed(AMOUNT), 0);
        assertBooks(signed(AMOUNT), 0);
        vm.assertEq(credit.balanceOf(relayer), 0);
    }

    function test_Deposit_RevertWhen_TheAccountIsZero() external {
        vm.expectRevert(IStandings.ZeroAddress.selector);
        escrow.deposit(address(0), AMOUNT);
    }

    function test_Deposit_RevertWhen_TheAllowanceIsTooSmall() external {
        fund(relayer, AMOUNT);
        vm.prank(relayer);
        credit.approve(address(escrow), AMOUNT - 1);

        vm.expectRevert(
            abi.encodeWithSelector(
                IERC20Errors.ERC20InsufficientAllowance.selector, address(escrow), AMOUNT - 1, AMOUNT
            )
        );
        vm.prank(relayer);
        escrow.deposit(relayer, AMOUNT);
    }

    function test_Deposit_RevertWhen_TheBalanceWouldNotFitItsSlot() external {
        fund(relayer, AMOUNT);
        vm.startPrank(relayer);
        credit.approve(address(escrow), type(uint256).max);

        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        escrow.deposit(buyer, type(uint104).max);
    }

    function test_DepositWithPermit_NeedsNoAllowance() external {
        fund(relayer, AMOUNT);
        (uint8 v, bytes32 r, bytes32 s) = permit(credit, relayer, address(escrow), AMOUNT);
        watch();

        vm.prank(relayer);
        escrow.depositWithPermit(provider, AMOUNT, block.timestamp, v, r, s);

        moves(provider, signed(AMOUNT), 0);
        assertBooks(signed(AMOUNT), 0);
    }

    function test_DepositWithPermit_ThatSomebodyUsedBefore_GoesByTheAllowance() external {
        fund(relayer, AMOUNT);
        (uint8 v, bytes32 r, bytes32 s) = permit(credit, relayer, address(escrow), AMOUNT);
        credit.permit(relayer, address(escrow), AMOUNT, block.timestamp, v, r, s);
        watch();

        vm.prank(relayer);
        escrow.depositWithPermit(provider, AMOUNT, block.timestamp, v, r, s);

        moves(provider, signed(AMOUNT), 0);
        assertBooks(signed(AMOUNT), 0);
    }

    function test_DepositWithPermit_RevertWhen_ThePermitIsSomebodyElses() external {
        fund(relayer, AMOUNT);
        (uint8 v, bytes32 r, bytes32 s) = permit(credit, buyer, address(escrow), AMOUNT);

        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(escrow), 0, AMOUNT)
        );
        vm.prank(relayer);
        escrow.depositWithPermit(provider, AMOUNT, block.timestamp, v, r, s);
    }

    // ---------------------------------------------------------------- withdraw

    function test_Withdraw_PaysTheNamedWallet_FromTheCallersFreeBalance() external {
        watch();

        vm.expectEmit(address(escrow));
        emit IJobEscrow.Withdrawn(buyer, relayer, AMOUNT);
        vm.prank(buyer);
        escrow.withdraw(relayer, AMOUNT);

        moves(buyer, -signed(AMOUNT), 0);
        assertBooks(-signed(AMOUNT), 0);
        assertWalletRose(relayer, AMOUNT);
    }

    function test_Withdraw_CanTakeTheLastAtom() external {
        vm.prank(buyer);
        escrow.withdraw(buyer, ENDOWMENT);

        vm.assertEq(uint256(escrow.accountOf(buyer).free), 0);
    }

    function test_Withdraw_RevertWhen_MoreThanIsFree() external {
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.InsufficientFree.selector, buyer, ENDOWMENT, ENDOWMENT + 1));
        vm.prank(buyer);
        escrow.withdraw(buyer, ENDOWMENT + 1);
    }

    function test_Withdraw_RevertWhen_TheRestIsLocked() external {
        open(usualTerms());
        uint104 free = escrow.accountOf(buyer).free;

        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.InsufficientFree.selector, buyer, free, free + 1));
        vm.prank(buyer);
        escrow.withdraw(buyer, free + 1);
    }

    function test_Withdraw_RevertWhen_TheReceiverIsTheEscrow() external {
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.InvalidReceiver.selector, address(escrow)));
        vm.prank(buyer);
        escrow.withdraw(address(escrow), AMOUNT);
    }

    function test_Withdraw_RevertWhen_TheReceiverIsZero() external {
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InvalidReceiver.selector, address(0)));
        vm.prank(buyer);
        escrow.withdraw(address(0), AMOUNT);
    }

    // ---------------------------------------------------------------- consent and nonces

    function test_SetSpendingConsent_IsKept_AndLeavesTheMoneyAlone() external {
        watch();

        vm.expectEmit(address(escrow));
        emit IJobEscrow.SpendingConsentChanged(buyer, true);
        vm.prank(buyer);
        escrow.setSpendingConsent(true);

        vm.assertTrue(escrow.accountOf(buyer).optedIn);
        assertNoMoneyMoved();
    }

    function test_SetSpendingConsent_CanBeTakenBack() external {
        vm.startPrank(buyer);
        escrow.setSpendingConsent(true);
        escrow.setSpendingConsent(false);

        vm.assertFalse(escrow.accountOf(buyer).optedIn);
    }

    function test_CancelBelow_RaisesTheLeastNonce_AndLeavesTheRestAlone() external {
        vm.startPrank(buyer);
        escrow.setSpendingConsent(true);
        vm.expectEmit(address(escrow));
        emit IJobEscrow.NoncesCancelled(buyer, 42);
        escrow.cancelBelow(42);

        Account memory account = escrow.accountOf(buyer);
        vm.assertEq(uint256(account.minNonce), 42);
        vm.assertEq(uint256(account.free), ENDOWMENT);
        vm.assertTrue(account.optedIn);
    }

    function test_CancelBelow_CanCancelEveryNonceThatCanOpen() external {
        uint48 highest = escrow.MAX_NONCE() + 1;
        vm.prank(buyer);
        escrow.cancelBelow(highest);

        vm.assertEq(uint256(escrow.accountOf(buyer).minNonce), 2 ** 47 - 1);
    }

    function test_CancelBelow_RevertWhen_ItDoesNotRise() external {
        vm.startPrank(buyer);
        escrow.cancelBelow(42);

        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.NonceOutOfRange.selector, 42, 43, uint256(2 ** 47 - 1)));
        escrow.cancelBelow(42);
    }

    function test_CancelBelow_RevertWhen_ItWouldNotFitItsSlot() external {
        vm.expectRevert(
            abi.encodeWithSelector(IJobEscrow.NonceOutOfRange.selector, uint256(2 ** 47), 1, uint256(2 ** 47 - 1))
        );
        vm.prank(buyer);
        escrow.cancelBelow(2 ** 47);
    }
}
