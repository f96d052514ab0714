// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {Attestation, Verdict} from "../../../contracts/types/Attestation.sol";
import {JobState, Outcome} from "../../../contracts/types/Job.sol";
import {Settlement} from "../../../contracts/types/Settlement.sol";
import {Signatures} from "../../../contracts/types/Signatures.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {SigningContract} from "../fixture/SigningContract.sol";
import {Trade} from "../fixture/Trade.sol";

/// @notice A token that lets the sender of one transfer do anything in its middle: before any balance has changed, or after.
contract TalkativeToken is ERC20("Talkative", "TALK") {
    address private listener;
    bytes private message;
    bool public answered;
    bytes public answer;

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice The next transfer calls `listener_` first, as it goes.
    function interrupt(address listener_, bytes calldata message_) external {
        listener = listener_;
        message = message_;
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (listener != address(0)) {
            address called = listener;
            listener = address(0);
            (answered, answer) = called.call(message);
        }
        super._update(from, to, amount);
    }
}

/// @notice Answers ERC-1271 with a yes, after it has tried to change the escrow.
contract MeddlingVerifier is IERC1271 {
    IJobEscrow private immutable ESCROW;

    constructor(IJobEscrow escrow) {
        ESCROW = escrow;
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        // A state-changing call from a static one: it consumes what it was given and fails.
        (bool done,) = address(ESCROW).staticcall{gas: 100_000}(abi.encodeCall(IJobEscrow.collectFees, ()));
        return done ? bytes4(0) : IERC1271.isValidSignature.selector;
    }
}

/// @notice `reentrancy.tree`. Calls that come back while one is still running. The credit token makes no such calls; the escrow does not rely on it.
contract ReentrancyTest is Trade {
    TalkativeToken private talk;
    SigningContract private thief;

    function setUp() public override {
        super.setUp();
        talk = new TalkativeToken();
        (registry, scores, escrow) = deployEscrow(address(talk));
        enlist(provider);
        thief = new SigningContract();
        address[4] memory holders = [buyer, sponsor, provider, address(thief)];
        talk.mint(address(this), 1_000e18);
        talk.approve(address(escrow), type(uint256).max);
        for (uint256 i; i < holders.length; ++i) {
            escrow.deposit(holders[i], ENDOWMENT);
        }
    }

    /// @dev Tokens held are at least what the accounts that are there could ask for.
    function assertSolvent() private view {
        address[7] memory all = [buyer, sponsor, provider, verifier, arbiter, relayer, address(thief)];
        uint256 owed = escrow.fees();
        for (uint256 i; i < all.length; ++i) {
            owed += uint256(escrow.accountOf(all[i]).free) + escrow.accountOf(all[i]).locked;
        }
        vm.assertEq(talk.balanceOf(address(escrow)), owed);
    }

    function test_Withdraw_InAWithdrawal_TakesNoMoreThanIsFree() external {
        bytes memory again = abi.encodeCall(IJobEscrow.withdraw, (address(thief), ENDOWMENT));
        talk.interrupt(address(thief), abi.encodeCall(SigningContract.act, (address(escrow), again)));

        thief.act(address(escrow), again);

        vm.assertFalse(talk.answered());
        vm.assertEq(talk.balanceOf(address(thief)), ENDOWMENT);
        assertSolvent();
    }

    function test_Finalize_InAPayout_FindsTheJobClosed() external {
        Terms memory t = usualTerms();
        t.buyer = address(thief);
        t.payer = address(thief);
        bytes32 digest = bytes32(abi.encode(escrow.jobIdOf(t)));
        Signatures memory given = Signatures("", "", sign(provider, digest));
        thief.act(address(escrow), abi.encodeCall(IJobEscrow.open, (t, given)));
        passDeadline(t);
        bytes memory again = abi.encodeCall(IJobEscrow.reclaimToWallet, (t));
        talk.interrupt(address(thief), abi.encodeCall(SigningContract.act, (address(escrow), again)));

        thief.act(address(escrow), again);

        vm.assertFalse(talk.answered());
        vm.assertEq(
            talk.answer(), abi.encodeWithSelector(IJobEscrow.WrongState.selector, JobState.Closed, Outcome.NoFault)
        );
        assertSolvent();
    }

    function test_CollectFees_InACollection_CollectsNothing() external {
        Terms memory t = usualTerms();
        open(t);
        pass(t, 600);
        uint256 fee = escrow.fees();
        talk.interrupt(address(escrow), abi.encodeCall(IJobEscrow.collectFees, ()));

        escrow.collectFees();

        vm.assertTrue(talk.answered());
        vm.assertEq(talk.balanceOf(treasury), fee);
        assertSolvent();
    }

    /// @dev Between the booking of an escrow from a wallet and the arrival of its tokens: opening twice, and closing.
    function test_Open_BeforeItsTokensArrived_CannotOpenAgain() external {
        Terms memory t = usualTerms();
        talk.mint(buyer, 2 * uint256(escrowOf(t)));
        vm.prank(buyer);
        talk.approve(address(escrow), type(uint256).max);
        Signatures memory given = signatures(t);
        talk.interrupt(address(escrow), abi.encodeCall(IJobEscrow.openFromWallet, (t, given)));

        escrow.openFromWallet(t, given);

        vm.assertFalse(talk.answered());
        vm.assertEq(uint256(escrow.accountOf(buyer).locked), escrowOf(t));
        assertSolvent();
    }

    function test_Agree_BeforeItsTokensArrived_LeavesTheEscrowSolvent() external {
        Terms memory t = usualTerms();
        talk.mint(buyer, escrowOf(t));
        vm.prank(buyer);
        talk.approve(address(escrow), type(uint256).max);
        Signatures memory given = signatures(t);
        Settlement memory s = settlement(t, t.maxUnits);
        talk.interrupt(address(escrow), abi.encodeCall(IJobEscrow.agree, (t, s, settlementSignatures(t, s, false))));

        escrow.openFromWallet(t, given);

        vm.assertTrue(talk.answered());
        assertSolvent();
    }

    function test_OpenFromWallet_RevertWhen_TheTokensDoNotArrive_EvenIfTheJobClosedMeanwhile() external {
        Terms memory t = usualTerms();
        Signatures memory given = signatures(t);
        Settlement memory s = settlement(t, 0);
        talk.interrupt(address(escrow), abi.encodeCall(IJobEscrow.agree, (t, s, settlementSignatures(t, s, false))));
        vm.prank(buyer);
        talk.approve(address(escrow), type(uint256).max);

        vm.expectRevert();
        escrow.openFromWallet(t, given);

        vm.assertEq(uint256(escrow.accountOf(buyer).free), ENDOWMENT);
        assertSolvent();
    }

    function test_AVerifier_CannotChangeTheEscrowWhileItIsAsked() external {
        Terms memory t = usualTerms();
        t.verifier = address(new MeddlingVerifier(escrow));
        open(t);
        Terms memory earlier = usualTerms();
        open(earlier);
        pass(earlier, 600);
        uint256 fee = escrow.fees();

        escrow.attest(t, statement(t, Verdict.Pass, 5, false), "");

        vm.assertEq(uint256(escrow.fees()), fee);
        vm.assertEq(talk.balanceOf(treasury), 0);
        assertSolvent();
    }
}
