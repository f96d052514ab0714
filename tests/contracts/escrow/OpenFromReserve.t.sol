// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {JobState, Outcome} from "../../../contracts/types/Job.sol";
import {Signatures} from "../../../contracts/types/Signatures.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Books} from "../fixture/Books.sol";

/// @notice `batches.tree`, below.
contract OpenFromReserveTest is Books {
    uint256 private constant RESERVE = 1_000e6;

    function setUp() public override {
        super.setUp();
        reserve.mint(buyer, RESERVE);
    }

    /// @dev Units of the reserve for an escrow, rounded up to whole ones.
    function unitsOf(Terms memory t) private view returns (uint256) {
        uint256 scale = credit.scale();
        return (escrowOf(t) + scale - 1) / scale;
    }

    function openFromReserve(address sender, Terms memory t, Signatures memory given, uint256 units) private {
        (uint8 v, bytes32 r, bytes32 s) = permit(reserve, buyer, address(escrow), units);
        vm.prank(sender);
        escrow.openFromReserve(t, given, block.timestamp, v, r, s);
    }

    function test_OpenFromReserve_OpensFromTheReserve_AndDepositsTheChange() external {
        Terms memory t = usualTerms();
        Signatures memory given = signatures(t);
        uint256 units = unitsOf(t);
        uint256 minted = units * credit.scale();
        vm.assertGt(minted, escrowOf(t)); // the price is odd, so that there is change
        watch();

        openFromReserve(relayer, t, given, units);

        assertJob(t, JobState.Open, Outcome.NoFault, 0, 0, t.end);
        moves(buyer, signed(uint104(minted - escrowOf(t))), signed(escrowOf(t)));
        moves(provider, -signed(t.bond), signed(t.bond));
        assertBooks(int256(minted), 0);
        vm.assertEq(uint256(openedEvent().fromWallet), escrowOf(t));
        vm.assertEq(reserve.balanceOf(buyer), RESERVE - units);
        vm.assertEq(reserve.balanceOf(address(escrow)), uint256(0));
        vm.assertEq(reserve.allowance(address(escrow), address(credit)), uint256(0));
    }

    function test_OpenFromReserve_TakesAnAllowanceSetBefore_WhenThePermitFails() external {
        Terms memory t = usualTerms();
        Signatures memory given = signatures(t);
        vm.prank(buyer);
        reserve.approve(address(escrow), RESERVE);
        vm.prank(relayer);
        escrow.openFromReserve(t, given, 0, 0, 0, 0);
        assertJob(t, JobState.Open, Outcome.NoFault, 0, 0, t.end);
    }

    function test_OpenFromReserve_RevertWhen_TheReserveDoesNotArrive() external {
        Terms memory t = usualTerms();
        Signatures memory given = signatures(t);
        watch();
        vm.expectRevert();
        vm.prank(relayer);
        escrow.openFromReserve(t, given, 0, 0, 0, 0);
        assertNoMoneyMoved();
        assertJob(t, JobState.None, Outcome.NoFault, 0, 0, 0);
    }

    function test_OpenFromReserve_RevertWhen_ThePayerIsNotAuthorised() external {
        Terms memory t = usualTerms();
        Signatures memory given = signatures(t);
        given.buyer = "";
        uint256 units = unitsOf(t);
        (uint8 v, bytes32 r, bytes32 s) = permit(reserve, buyer, address(escrow), units);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.NotAuthorised.selector, buyer));
        vm.prank(relayer);
        escrow.openFromReserve(t, given, block.timestamp, v, r, s);
        vm.assertEq(reserve.balanceOf(buyer), RESERVE);
    }
}
