// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IStandings} from "../../../contracts/interfaces/IStandings.sol";
import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {JobState, Outcome} from "../../../contracts/types/Job.sol";
import {Parameters} from "../../../contracts/types/Parameters.sol";
import {Signatures} from "../../../contracts/types/Signatures.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Books} from "../fixture/Books.sol";

/// @notice `governance.tree`.
contract GovernanceTest is Books {
    function assertParameters(Parameters memory want) private view {
        vm.assertEq(keccak256(abi.encode(escrow.parameters())), keccak256(abi.encode(want)));
    }

    // ---------------------------------------------------------------- setParameters

    function test_SetParameters_ThroughTheTimelock() external {
        Parameters memory p = defaultParameters();
        p.feeBps = [uint16(500), 1, 2, 3];
        p.bondBps = [uint24(200_000), 4, 5, 6];
        p.maxLocked = [uint24(2 ** 23 - 1), 7, 8, 0];
        p.minDisputeWindow = 7 days;
        p.treasury = relayer;
        p.guardian = address(0);

        govern(address(escrow), abi.encodeCall(IJobEscrow.setParameters, (p)));

        assertParameters(p);
        vm.assertEq(escrow.treasury(), relayer);
        vm.assertFalse(escrow.paused());
    }

    function test_SetParameters_SaysTheWholeSet() external {
        Parameters memory p = defaultParameters();
        p.feeBps[3] = 7;
        vm.expectEmit(address(escrow));
        emit IJobEscrow.ParametersChanged(p.feeBps, p.bondBps, p.maxLocked, p.minDisputeWindow, p.treasury, p.guardian);
        vm.prank(address(timelock));
        escrow.setParameters(p);
    }

    function test_SetParameters_RevertWhen_ACapOnWhatIsLockedDoesNotFitItsWord() external {
        for (uint256 tier; tier < 4; ++tier) {
            Parameters memory p = defaultParameters();
            p.maxLocked[tier] = 2 ** 23;
            vm.expectRevert(abi.encodeWithSelector(IJobEscrow.CapTooLarge.selector, 2 ** 23, 2 ** 23 - 1));
            vm.prank(address(timelock));
            escrow.setParameters(p);
        }
    }

    function test_SetParameters_CapsWhatIsLocked_ForJobsOpenedAfterwards() external {
        Terms memory t = usualTerms(); // a bond of one credit and three atoms
        open(t);
        Parameters memory p = defaultParameters();
        p.maxLocked[0] = 2;
        vm.prank(address(timelock));
        escrow.setParameters(p);

        t.nonce = 2;
        Signatures memory given = signatures(t);
        uint256 would = 2 * uint256(t.bond);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.ExposureTooLarge.selector, provider, would, 2e18));
        vm.prank(relayer);
        escrow.open(t, given);

        p.maxLocked[0] = 3;
        vm.prank(address(timelock));
        escrow.setParameters(p);
        open(t);
        vm.assertEq(uint256(escrow.accountOf(provider).locked), would);
    }

    function test_SetParameters_KeepsThePause() external {
        vm.prank(guardian);
        escrow.pause();
        vm.prank(address(timelock));
        escrow.setParameters(defaultParameters());
        vm.assertTrue(escrow.paused());
    }

    function test_SetParameters_RevertWhen_TheCallerIsNotTheTimelock() external {
        address[4] memory others = [governor, guardian, treasury, address(this)];
        for (uint256 i; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IJobEscrow.CallerNotOwner.selector, others[i], address(timelock)));
            vm.prank(others[i]);
            escrow.setParameters(defaultParameters());
        }
    }

    function test_SetParameters_RevertWhen_AFeeIsOverItsCap() external {
        for (uint256 tier; tier < 4; ++tier) {
            Parameters memory p = defaultParameters();
            p.feeBps[tier] = 501;
            vm.expectRevert(abi.encodeWithSelector(IJobEscrow.ShareTooLarge.selector, 501, 500));
            vm.prank(address(timelock));
            escrow.setParameters(p);
        }
    }

    function test_SetParameters_RevertWhen_ABondIsOverItsCap() external {
        for (uint256 tier; tier < 4; ++tier) {
            Parameters memory p = defaultParameters();
            p.bondBps[tier] = 200_001;
            vm.expectRevert(abi.encodeWithSelector(IJobEscrow.ShareTooLarge.selector, 200_001, 200_000));
            vm.prank(address(timelock));
            escrow.setParameters(p);
        }
    }

    function test_SetParameters_RevertWhen_TheFloorIsOverItsCap() external {
        Parameters memory p = defaultParameters();
        p.minDisputeWindow = 7 days + 1;
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.WindowOutOfRange.selector, 7 days + 1, 0, 7 days));
        vm.prank(address(timelock));
        escrow.setParameters(p);
    }

    function test_SetParameters_RevertWhen_TheTreasuryIsZero() external {
        Parameters memory p = defaultParameters();
        p.treasury = address(0);
        vm.expectRevert(IStandings.ZeroAddress.selector);
        vm.prank(address(timelock));
        escrow.setParameters(p);
    }

    // ---------------------------------------------------------------- pause

    function test_Pause_ByGuardianAndOwner() external {
        address[2] memory holders = [guardian, address(timelock)];
        for (uint256 i; i < holders.length; ++i) {
            vm.expectEmit(address(escrow));
            emit IJobEscrow.Paused(holders[i]);
            vm.prank(holders[i]);
            escrow.pause();
            vm.assertTrue(escrow.paused());

            vm.expectEmit(address(escrow));
            emit IJobEscrow.Unpaused(holders[i]);
            vm.prank(holders[i]);
            escrow.unpause();
            vm.assertFalse(escrow.paused());
        }
    }

    function test_Pause_RevertWhen_TheCallerMayNot() external {
        address[3] memory others = [governor, treasury, buyer];
        for (uint256 i; i < others.length; ++i) {
            vm.startPrank(others[i]);
            vm.expectRevert(abi.encodeWithSelector(IJobEscrow.CallerNotGuardian.selector, others[i], guardian));
            escrow.pause();
            vm.expectRevert(abi.encodeWithSelector(IJobEscrow.CallerNotGuardian.selector, others[i], guardian));
            escrow.unpause();
            vm.stopPrank();
        }
    }

    function test_Pause_LeavesTheParametersAlone() external {
        vm.prank(guardian);
        escrow.pause();
        assertParameters(defaultParameters());
    }

    function test_Pause_StopsOpenInItsThreeForms() external {
        Terms memory t = usualTerms();
        Signatures memory given = signatures(t);
        vm.prank(guardian);
        escrow.pause();

        vm.expectRevert(IJobEscrow.OpeningPaused.selector);
        escrow.open(t, given);
        vm.expectRevert(IJobEscrow.OpeningPaused.selector);
        escrow.openFromWallet(t, given);
        vm.expectRevert(IJobEscrow.OpeningPaused.selector);
        escrow.openWithPermit(t, given, 0, 27, bytes32(0), bytes32(0));
    }

    /// @dev Every other call on a trade's way, once, while paused.
    function test_Pause_StopsNothingElse() external {
        Terms[6] memory jobs;
        for (uint256 i; i < jobs.length; ++i) {
            jobs[i] = usualTerms();
            jobs[i].nonce = uint48(i + 1);
            if (i < 5) open(jobs[i]);
        }
        vm.prank(guardian);
        escrow.pause();

        endow(buyer, 1e18);
        vm.prank(buyer);
        escrow.withdraw(buyer, 1e18);
        reading(jobs[0], 10);
        pass(jobs[0], 600);
        agree(jobs[1], 100);
        propose(jobs[2], 600);
        disputeAs(buyer, jobs[2]);
        rule(jobs[2], ruling(jobs[2], 600, 0, 0));
        fail(jobs[3]);
        passDeadline(jobs[3]);
        finalize(jobs[3]);
        passDeadline(jobs[4]);
        reclaim(jobs[4]);
        vm.prank(buyer);
        escrow.cancel(jobs[5]);
        escrow.collectFees();

        for (uint256 i; i < jobs.length; ++i) {
            vm.assertEq(uint256(escrow.jobOf(escrow.jobIdOf(jobs[i])).state), uint256(JobState.Closed));
        }
        vm.assertTrue(escrow.paused());
    }

    // ---------------------------------------------------------------- fees

    function test_CollectFees_PaysTheTreasury_WhoeverCalls() external {
        Terms memory t = usualTerms();
        open(t);
        pass(t, 1_000);
        uint104 fee = (3e18 + 1_000) / 100;
        watch();

        vm.expectEmit(address(escrow));
        emit IJobEscrow.FeesCollected(treasury, fee);
        vm.prank(relayer);
        escrow.collectFees();

        assertBooks(-signed(fee), -signed(fee));
        vm.assertEq(credit.balanceOf(treasury), fee);
        vm.assertEq(uint256(escrow.fees()), 0);
    }

    function test_CollectFees_Twice_PaysOnce() external {
        Terms memory t = usualTerms();
        open(t);
        pass(t, 1_000);
        escrow.collectFees();
        watch();
        escrow.collectFees();
        assertNoMoneyMoved();
    }

    // ---------------------------------------------------------------- birth

    function expectBirthRefused(
        address token,
        address registry_,
        address owner,
        Parameters memory p,
        bytes memory reason
    ) private {
        bytes memory arguments = abi.encode(token, registry_, owner, p);
        vm.expectRevert(reason);
        this.createEscrow(arguments);
    }

    function createEscrow(bytes calldata arguments) external {
        create("JobEscrow", arguments);
    }

    function test_Constructor_RevertWhen_AnAddressIsZero() external {
        bytes memory zero = abi.encodeWithSelector(IStandings.ZeroAddress.selector);
        Parameters memory p = defaultParameters();
        address some = relayer;
        expectBirthRefused(address(0), some, some, p, zero);
        expectBirthRefused(some, address(0), some, p, zero);
        expectBirthRefused(some, some, address(0), p, zero);
        p.treasury = address(0);
        expectBirthRefused(some, some, some, p, zero);
    }

    function test_Constructor_RevertWhen_AParameterIsOverItsCap() external {
        Parameters memory p = defaultParameters();
        p.feeBps[2] = 501;
        expectBirthRefused(
            relayer, relayer, relayer, p, abi.encodeWithSelector(IJobEscrow.ShareTooLarge.selector, 501, 500)
        );
    }
}
