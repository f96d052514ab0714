// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IProviderRegistry} from "../../../contracts/interfaces/IProviderRegistry.sol";
import {Deployment} from "../fixture/Deployment.sol";

/// @notice `ProviderRegistry.tree`.
contract ProviderRegistryTest is Deployment {
    address private provider;
    bytes32 private constant RESOURCE = keccak256("urn");

    function setUp() public override {
        super.setUp();
        provider = actor("provider");
        fund(provider, 100e18);
        vm.prank(provider);
        credit.approve(address(registry), type(uint256).max);
    }

    function register() private {
        vm.prank(provider);
        registry.register(PROVIDER_STAKE);
    }

    function leave() private {
        register();
        vm.prank(provider);
        registry.requestExit();
    }

    function close() private {
        govern(
            address(registry),
            abi.encodeCall(
                IProviderRegistry.setRules, (IProviderRegistry.Rules(PROVIDER_STAKE, PROVIDER_UNBONDING, false))
            )
        );
    }

    function expectAsProvider(bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(provider);
    }

    function aboutProvider(bytes4 selector) private view returns (bytes memory) {
        return abi.encodeWithSelector(selector, provider);
    }

    // ---------------------------------------------------------------- register

    function test_Register_TakesTheStake_AndIsActive() external {
        vm.expectEmit(address(registry));
        emit IProviderRegistry.ProviderRegistered(provider, 12e18);
        vm.prank(provider);
        registry.register(12e18);

        vm.assertTrue(registry.isActive(provider));
        vm.assertEq(uint256(registry.providerOf(provider).stake), 12e18);
        vm.assertEq(credit.balanceOf(address(registry)), 12e18);
        vm.assertEq(credit.balanceOf(provider), 88e18);
    }

    function test_RegisterWithPermit_NeedsNoAllowance() external {
        vm.prank(provider);
        credit.approve(address(registry), 0);
        (uint8 v, bytes32 r, bytes32 s) = permit(credit, provider, address(registry), PROVIDER_STAKE);
        vm.prank(provider);
        registry.registerWithPermit(PROVIDER_STAKE, block.timestamp, v, r, s);
        vm.assertTrue(registry.isActive(provider));
    }

    /// @dev Whoever sees a permit can use it up; the allowance stands then.
    function test_RegisterWithPermit_WorksWithAPermitThatWasUsedUp() external {
        (uint8 v, bytes32 r, bytes32 s) = permit(credit, provider, address(registry), PROVIDER_STAKE);
        credit.permit(provider, address(registry), PROVIDER_STAKE, block.timestamp, v, r, s);
        vm.prank(provider);
        registry.registerWithPermit(PROVIDER_STAKE, block.timestamp, v, r, s);
        vm.assertTrue(registry.isActive(provider));
    }

    function test_Register_RevertWhen_RegisteredBefore() external {
        register();
        expectAsProvider(aboutProvider(IProviderRegistry.AlreadyRegistered.selector));
        registry.register(PROVIDER_STAKE);
    }

    function test_Register_RevertWhen_Leaving() external {
        leave();
        expectAsProvider(aboutProvider(IProviderRegistry.AlreadyRegistered.selector));
        registry.register(PROVIDER_STAKE);
    }

    function test_Register_RevertWhen_TheStakeIsTooSmall() external {
        expectAsProvider(
            abi.encodeWithSelector(IProviderRegistry.StakeTooSmall.selector, PROVIDER_STAKE - 1, PROVIDER_STAKE)
        );
        registry.register(PROVIDER_STAKE - 1);
    }

    function test_Register_RevertWhen_TheStakeIsNothing_EvenIfNoneIsAsked() external {
        vm.prank(address(timelock));
        registry.setRules(IProviderRegistry.Rules(0, 0, true));
        expectAsProvider(abi.encodeWithSelector(IProviderRegistry.StakeTooSmall.selector, 0, 0));
        registry.register(0);
    }

    function test_Register_RevertWhen_AdmissionIsClosed() external {
        close();
        expectAsProvider(aboutProvider(IProviderRegistry.NotAdmitted.selector));
        registry.register(PROVIDER_STAKE);
    }

    function test_Register_WhenAdmitted_ThoughAdmissionIsClosed() external {
        close();
        govern(address(registry), abi.encodeCall(IProviderRegistry.setAdmitted, (provider, true)));
        register();
        vm.assertTrue(registry.isActive(provider));
    }

    function test_Register_RevertWhen_TheAdmissionWasTakenBack() external {
        close();
        vm.startPrank(address(timelock));
        registry.setAdmitted(provider, true);
        registry.setAdmitted(provider, false);
        vm.stopPrank();
        expectAsProvider(aboutProvider(IProviderRegistry.NotAdmitted.selector));
        registry.register(PROVIDER_STAKE);
    }

    // ---------------------------------------------------------------- stake and resources

    function test_AddStake_Adds() external {
        register();
        vm.expectEmit(address(registry));
        emit IProviderRegistry.StakeAdded(provider, 3e18, PROVIDER_STAKE + 3e18);
        vm.prank(provider);
        registry.addStake(3e18);
        vm.assertEq(credit.balanceOf(address(registry)), PROVIDER_STAKE + 3e18);
    }

    function test_AddStake_RevertWhen_NotRegistered() external {
        expectAsProvider(aboutProvider(IProviderRegistry.NotRegistered.selector));
        registry.addStake(1);
    }

    function test_AddStake_RevertWhen_Leaving() external {
        leave();
        expectAsProvider(abi.encodeWithSelector(IProviderRegistry.AlreadyLeaving.selector, START));
        registry.addStake(1);
    }

    function test_Resources_AreListedAndRetired() external {
        register();
        vm.startPrank(provider);
        vm.expectEmit(address(registry));
        emit IProviderRegistry.ResourceListed(provider, RESOURCE);
        registry.listResource(RESOURCE);
        vm.assertTrue(registry.isListed(provider, RESOURCE));

        vm.expectEmit(address(registry));
        emit IProviderRegistry.ResourceRetired(provider, RESOURCE);
        registry.retireResource(RESOURCE);
        vm.assertFalse(registry.isListed(provider, RESOURCE));
    }

    function test_ListResource_RevertWhen_NotRegistered() external {
        expectAsProvider(aboutProvider(IProviderRegistry.NotRegistered.selector));
        registry.listResource(RESOURCE);
    }

    function test_ListResource_RevertWhen_ListedBefore() external {
        register();
        vm.prank(provider);
        registry.listResource(RESOURCE);
        expectAsProvider(abi.encodeWithSelector(IProviderRegistry.ResourceKnown.selector, RESOURCE));
        registry.listResource(RESOURCE);
    }

    function test_RetireResource_RevertWhen_NotListed() external {
        register();
        expectAsProvider(abi.encodeWithSelector(IProviderRegistry.ResourceUnknown.selector, RESOURCE));
        registry.retireResource(RESOURCE);
    }

    // ---------------------------------------------------------------- exit

    function test_RequestExit_EndsBeingActive() external {
        register();
        vm.expectEmit(address(registry));
        emit IProviderRegistry.ExitRequested(provider, uint40(START));
        vm.prank(provider);
        registry.requestExit();
        vm.assertFalse(registry.isActive(provider));
    }

    function test_RequestExit_RevertWhen_NotRegistered() external {
        expectAsProvider(aboutProvider(IProviderRegistry.NotRegistered.selector));
        registry.requestExit();
    }

    function test_RequestExit_RevertWhen_AskedBefore() external {
        leave();
        expectAsProvider(abi.encodeWithSelector(IProviderRegistry.AlreadyLeaving.selector, START));
        registry.requestExit();
    }

    function test_Exit_PaysTheStake_AndLetsIntoAgain() external {
        leave();
        vm.warp(START + PROVIDER_UNBONDING + 1);
        vm.expectEmit(address(registry));
        emit IProviderRegistry.ProviderExited(provider, PROVIDER_STAKE);
        vm.prank(provider);
        registry.exit();

        vm.assertEq(credit.balanceOf(provider), 100e18);
        vm.assertEq(credit.balanceOf(address(registry)), 0);
        register();
        vm.assertTrue(registry.isActive(provider));
    }

    function test_Exit_RevertWhen_NotRegistered() external {
        expectAsProvider(aboutProvider(IProviderRegistry.NotRegistered.selector));
        registry.exit();
    }

    function test_Exit_RevertWhen_NotAsked() external {
        register();
        expectAsProvider(aboutProvider(IProviderRegistry.NotLeaving.selector));
        registry.exit();
    }

    function test_Exit_RevertWhen_StillUnbonding() external {
        leave();
        uint256 due = START + PROVIDER_UNBONDING;
        vm.warp(due);
        expectAsProvider(abi.encodeWithSelector(IProviderRegistry.StillUnbonding.selector, due, due));
        registry.exit();
    }

    function test_Exit_KeepsThePeriodThatItWasAskedUnder() external {
        leave();
        vm.prank(address(timelock));
        registry.setRules(IProviderRegistry.Rules(PROVIDER_STAKE, 30 days, true));
        vm.warp(START + PROVIDER_UNBONDING + 1);
        vm.prank(provider);
        registry.exit();
        vm.assertEq(credit.balanceOf(provider), 100e18);
    }

    // ---------------------------------------------------------------- rules

    function test_SetRules_RevertWhen_TheCallerIsNotTheTimelock() external {
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.CallerNotOwner.selector, governor, address(timelock)));
        vm.prank(governor);
        registry.setRules(IProviderRegistry.Rules(0, 0, true));
    }

    function test_SetAdmitted_RevertWhen_TheCallerIsNotTheTimelock() external {
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.CallerNotOwner.selector, governor, address(timelock)));
        vm.prank(governor);
        registry.setAdmitted(provider, true);
    }

    function test_SetRules_RevertWhen_TheUnbondingPeriodIsOverTheCap() external {
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.UnbondingTooLong.selector, 30 days + 1, 30 days));
        vm.prank(address(timelock));
        registry.setRules(IProviderRegistry.Rules(0, 30 days + 1, true));
    }

    function test_SetRules_ReplacesThem_AndSaysSo() external {
        vm.expectEmit(address(registry));
        emit IProviderRegistry.RulesChanged(5e18, 1 days, false);
        vm.prank(address(timelock));
        registry.setRules(IProviderRegistry.Rules(5e18, 1 days, false));
        IProviderRegistry.Rules memory rules = registry.rules();
        vm.assertEq(uint256(rules.minStake), 5e18);
        vm.assertEq(uint256(rules.unbonding), 1 days);
        vm.assertFalse(rules.openAdmission);
    }

    // ---------------------------------------------------------------- birth

    function createRegistry(address token, address owner, uint32 unbonding, address escrow_) external {
        IProviderRegistry.Rules memory rules = IProviderRegistry.Rules(PROVIDER_STAKE, unbonding, true);
        create("ProviderRegistry", abi.encode(token, owner, rules, escrow_));
    }

    function test_Constructor_RevertWhen_AnAddressIsZero() external {
        vm.expectRevert(IProviderRegistry.ZeroAddress.selector);
        this.createRegistry(address(0), governor, 0, guardian);
        vm.expectRevert(IProviderRegistry.ZeroAddress.selector);
        this.createRegistry(address(credit), address(0), 0, guardian);
        vm.expectRevert(IProviderRegistry.ZeroAddress.selector);
        this.createRegistry(address(credit), governor, 0, address(0));
    }

    function test_Constructor_RevertWhen_TheUnbondingPeriodIsOverTheCap() external {
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.UnbondingTooLong.selector, 30 days + 1, 30 days));
        this.createRegistry(address(credit), governor, 30 days + 1, guardian);
    }
}
