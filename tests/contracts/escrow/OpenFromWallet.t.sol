// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {JobState, Outcome} from "../../../contracts/types/Job.sol";
import {Signatures} from "../../../contracts/types/Signatures.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Books} from "../fixture/Books.sol";

/// @notice `open.tree`, money from the payer's wallet: by allowance, or by permit.
contract OpenFromWalletTest is Books {
    function assertOpenedFromWallet(Terms memory t) private {
        moves(t.payer, 0, signed(escrowOf(t)));
        moves(t.provider, -signed(t.bond), signed(t.bond));
        assertBooks(signed(escrowOf(t)), 0);
        assertJob(t, JobState.Open, Outcome.NoFault, 0, 0, t.end);
        vm.assertEq(uint256(openedEvent().fromWallet), escrowOf(t));
    }

    function test_OpenFromWallet_EscrowsByTheAllowance() external {
        Terms memory t = sponsoredTerms();
        fund(sponsor, escrowOf(t));
        vm.prank(sponsor);
        credit.approve(address(escrow), escrowOf(t));
        Signatures memory all = signatures(t);
        watch();

        vm.prank(relayer);
        escrow.openFromWallet(t, all);

        assertOpenedFromWallet(t);
    }

    function test_OpenWithPermit_NeedsNoAllowance() external {
        Terms memory t = usualTerms();
        fund(buyer, escrowOf(t));
        Signatures memory all = signatures(t);
        (uint8 v, bytes32 r, bytes32 s) = permit(credit, buyer, address(escrow), escrowOf(t));
        watch();

        vm.prank(relayer);
        escrow.openWithPermit(t, all, block.timestamp, v, r, s);

        assertOpenedFromWallet(t);
    }

    function test_OpenWithPermit_ThatSomebodyUsedBefore_GoesByTheAllowance() external {
        Terms memory t = usualTerms();
        fund(buyer, escrowOf(t));
        Signatures memory all = signatures(t);
        (uint8 v, bytes32 r, bytes32 s) = permit(credit, buyer, address(escrow), escrowOf(t));
        credit.permit(buyer, address(escrow), escrowOf(t), block.timestamp, v, r, s);
        watch();

        vm.prank(relayer);
        escrow.openWithPermit(t, all, block.timestamp, v, r, s);

        assertOpenedFromWallet(t);
    }

    function test_OpenFromWallet_RevertWhen_TheAllowanceIsTooSmall() external {
        Terms memory t = usualTerms();
        uint104 escrowed = escrowOf(t);
        fund(buyer, escrowed);
        vm.prank(buyer);
        credit.approve(address(escrow), escrowed - 1);
        Signatures memory all = signatures(t);

        vm.expectRevert(
            abi.encodeWithSelector(
                IERC20Errors.ERC20InsufficientAllowance.selector, address(escrow), escrowed - 1, escrowed
            )
        );
        escrow.openFromWallet(t, all);
    }

    function test_RevertWhen_ThePayerGaveAnAllowanceButNoAuthorisation() external {
        Terms memory t = sponsoredTerms();
        fund(sponsor, escrowOf(t));
        vm.prank(sponsor);
        credit.approve(address(escrow), type(uint256).max);
        Signatures memory all = signatures(t);
        all.payer = "";

        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.NotAuthorised.selector, sponsor));
        escrow.openFromWallet(t, all);
    }

    function test_RevertWhen_ThePayerGaveAPermitButNoAuthorisation() external {
        Terms memory t = sponsoredTerms();
        fund(sponsor, escrowOf(t));
        Signatures memory all = signatures(t);
        all.payer = "";
        (uint8 v, bytes32 r, bytes32 s) = permit(credit, sponsor, address(escrow), escrowOf(t));

        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.NotAuthorised.selector, sponsor));
        escrow.openWithPermit(t, all, block.timestamp, v, r, s);
    }
}
