// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {IProviderRegistry} from "../../../contracts/interfaces/IProviderRegistry.sol";
import {IVerifierCommittee} from "../../../contracts/interfaces/IVerifierCommittee.sol";
import {Parameters} from "../../../contracts/types/Parameters.sol";
import {Committee} from "../fixture/Committee.sol";

/// @notice `timelock.tree`. The timelock owns every parameter of every contract, and nobody owns the timelock.
contract TimelockTest is Committee {
    bytes private change;

    function setUp() public override {
        super.setUp();
        Parameters memory p = defaultParameters();
        p.feeBps[0] = 42;
        change = abi.encodeCall(IJobEscrow.setParameters, (p));
    }

    function schedule() private {
        vm.prank(governor);
        timelock.schedule(address(escrow), 0, change, bytes32(0), bytes32(0), TIMELOCK_DELAY);
    }

    function execute() private {
        timelock.execute(address(escrow), 0, change, bytes32(0), bytes32(0));
    }

    function test_ItOwnsWhateverHasAnOwner() external {
        IVerifierCommittee committee = deployCommittee(1, 1, new address[](0));
        vm.assertEq(escrow.owner(), address(timelock));
        vm.assertEq(registry.owner(), address(timelock));
        vm.assertEq(committee.owner(), address(timelock));
    }

    /// @dev Each call that only an owner may make, by everybody who might hope to.
    function test_EverySetter_RefusesEverybodyElse() external {
        IVerifierCommittee committee = deployCommittee(1, 1, people(1));
        address[4] memory hopefuls = [governor, guardian, treasury, address(this)];
        bytes[5] memory calls = [
            change,
            abi.encodeCall(IProviderRegistry.setRules, (IProviderRegistry.Rules(0, 0, false))),
            abi.encodeCall(IProviderRegistry.setAdmitted, (provider, true)),
            abi.encodeCall(IVerifierCommittee.name, (relayer)),
            abi.encodeCall(IVerifierCommittee.dismiss, (actor("member 0")))
        ];
        address[5] memory targets =
            [address(escrow), address(registry), address(registry), address(committee), address(committee)];
        for (uint256 i; i < calls.length; ++i) {
            for (uint256 j; j < hopefuls.length; ++j) {
                vm.prank(hopefuls[j]);
                (bool done, bytes memory answer) = targets[i].call(calls[i]);
                vm.assertFalse(done);
                vm.assertEq(
                    answer, abi.encodeWithSelector(IJobEscrow.CallerNotOwner.selector, hopefuls[j], address(timelock))
                );
            }
            vm.prank(address(timelock));
            (bool allowed,) = targets[i].call(calls[i]);
            vm.assertTrue(allowed);
        }
    }

    function test_AChange_TakesEffectAfterTheDelay_WhoeverExecutes() external {
        schedule();
        vm.warp(START + TIMELOCK_DELAY);
        vm.prank(relayer);
        execute();
        vm.assertEq(uint256(escrow.parameters().feeBps[0]), 42);
    }

    function test_RevertWhen_TheDelayHasNotPassed() external {
        schedule();
        vm.warp(START + TIMELOCK_DELAY - 1);
        vm.expectPartialRevert(TimelockController.TimelockUnexpectedOperationState.selector);
        execute();
    }

    function test_RevertWhen_AnybodyElseSchedules() external {
        bytes32 role = timelock.PROPOSER_ROLE();
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, guardian, role)
        );
        vm.prank(guardian);
        timelock.schedule(address(escrow), 0, change, bytes32(0), bytes32(0), TIMELOCK_DELAY);
    }

    function test_RevertWhen_AScheduledDelayIsTooShort() external {
        vm.expectRevert(
            abi.encodeWithSelector(
                TimelockController.TimelockInsufficientDelay.selector, TIMELOCK_DELAY - 1, TIMELOCK_DELAY
            )
        );
        vm.prank(governor);
        timelock.schedule(address(escrow), 0, change, bytes32(0), bytes32(0), TIMELOCK_DELAY - 1);
    }

    function test_AProposer_CanCancelWhatItScheduled() external {
        schedule();
        bytes32 id = timelock.hashOperation(address(escrow), 0, change, bytes32(0), bytes32(0));
        vm.prank(governor);
        timelock.cancel(id);
        vm.warp(START + TIMELOCK_DELAY);
        vm.expectPartialRevert(TimelockController.TimelockUnexpectedOperationState.selector);
        execute();
    }

    function test_NobodyAdministersIt_ButItself() external {
        bytes32 admin = timelock.DEFAULT_ADMIN_ROLE();
        vm.assertTrue(timelock.hasRole(admin, address(timelock)));
        address[3] memory others = [governor, guardian, address(this)];
        for (uint256 i; i < others.length; ++i) {
            vm.assertFalse(timelock.hasRole(admin, others[i]));
        }
        vm.expectRevert(abi.encodeWithSelector(TimelockController.TimelockUnauthorizedCaller.selector, governor));
        vm.prank(governor);
        timelock.updateDelay(0);
    }
}
