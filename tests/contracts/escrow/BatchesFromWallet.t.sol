// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {JobState} from "../../../contracts/types/Job.sol";
import {Opening} from "../../../contracts/types/Opening.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Trade} from "../fixture/Trade.sol";

/// @notice `batches.tree`: a batch that one transfer pays for.
contract BatchesFromWalletTest is Trade {
    uint104 private total;

    /// @notice The buyer has nothing in the escrow, and all that it needs in its wallet.
    function setUp() public override {
        super.setUp();
        vm.prank(buyer);
        escrow.withdraw(buyer, ENDOWMENT);
        total = 3 * escrowOf(usualTerms());
    }

    function three() private view returns (Opening[] memory items) {
        items = new Opening[](3);
        for (uint48 i; i < 3; ++i) {
            Terms memory t = usualTerms();
            t.nonce = i + 1;
            items[i] = Opening(t, signatures(t));
            items[i].signatures.buyer = "";
        }
    }

    function assertStates(Opening[] memory items, JobState first, JobState others) private view {
        for (uint256 i; i < items.length; ++i) {
            JobState want = i == 0 ? first : others;
            vm.assertEq(uint256(escrow.jobOf(escrow.jobIdOf(items[i].terms)).state), uint256(want), "state");
        }
    }

    function assertBuyer(uint256 free, uint256 locked, uint256 wallet) private view {
        vm.assertEq(uint256(escrow.accountOf(buyer).free), free, "free");
        vm.assertEq(uint256(escrow.accountOf(buyer).locked), locked, "locked");
        vm.assertEq(credit.balanceOf(buyer), wallet, "wallet");
    }

    function test_OpenManyFromWallet_OneTransferPaysForAll() external {
        vm.prank(buyer);
        credit.approve(address(escrow), total);
        Opening[] memory items = three();
        vm.expectEmit(address(escrow));
        emit IJobEscrow.Deposited(buyer, buyer, total);
        vm.prank(buyer);
        escrow.openManyFromWallet(total, items);
        assertStates(items, JobState.Open, JobState.Open);
        assertBuyer(0, total, ENDOWMENT - total);
    }

    function test_OpenManyWithPermit_NeedsNoAllowanceBefore() external {
        Opening[] memory items = three();
        (uint8 v, bytes32 r, bytes32 s) = permit(credit, buyer, address(escrow), total);
        vm.prank(buyer);
        escrow.openManyWithPermit(total, items, block.timestamp, v, r, s);
        assertStates(items, JobState.Open, JobState.Open);
        assertBuyer(0, total, ENDOWMENT - total);
    }

    function test_OpenManyWithPermit_APermitThatSomebodyUsedBefore_DoesNotMatter() external {
        Opening[] memory items = three();
        (uint8 v, bytes32 r, bytes32 s) = permit(credit, buyer, address(escrow), total);
        credit.permit(buyer, address(escrow), total, block.timestamp, v, r, s);
        vm.prank(buyer);
        escrow.openManyWithPermit(total, items, block.timestamp, v, r, s);
        assertStates(items, JobState.Open, JobState.Open);
    }

    function test_WhatASkippedItemLeaves_StaysInTheBalance() external {
        vm.prank(buyer);
        credit.approve(address(escrow), total);
        Opening[] memory items = three();
        items[0].terms.maxFeeBps = 1;
        vm.prank(buyer);
        escrow.openManyFromWallet(total, items);
        assertStates(items, JobState.None, JobState.Open);
        assertBuyer(total / 3, total - total / 3, ENDOWMENT - total);
    }

    function test_TooSmallAnAmount_SkipsWhatItDoesNotPay() external {
        vm.prank(buyer);
        credit.approve(address(escrow), total);
        Opening[] memory items = three();
        vm.prank(buyer);
        escrow.openManyFromWallet(total / 3, items);
        assertStates(items, JobState.Open, JobState.None);
        assertBuyer(0, total / 3, ENDOWMENT - total / 3);
    }

    /// @dev A relayer's wallet pays for the relayer alone: the items' payer has nothing in its balance.
    function test_TheWalletOfASender_PaysForNobodyElse() external {
        fund(relayer, total);
        vm.prank(relayer);
        credit.approve(address(escrow), total);
        Opening[] memory items = new Opening[](1);
        items[0] = Opening(usualTerms(), signatures(usualTerms()));
        vm.prank(relayer);
        escrow.openManyFromWallet(total, items);
        assertStates(items, JobState.None, JobState.None);
        vm.assertEq(uint256(escrow.accountOf(relayer).free), total);
        assertBuyer(0, 0, ENDOWMENT);
    }

    function test_RevertWhen_TheWalletDoesNotAllowIt() external {
        Opening[] memory items = three();
        vm.prank(buyer);
        (bool done,) = address(escrow).call(abi.encodeCall(IJobEscrow.openManyFromWallet, (total, items)));
        vm.assertFalse(done);
        assertBuyer(0, 0, ENDOWMENT);
    }
}
