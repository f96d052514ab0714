// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {IProviderRegistry} from "../../../contracts/interfaces/IProviderRegistry.sol";
import {IStandings} from "../../../contracts/interfaces/IStandings.sol";
import {Attestation, Verdict} from "../../../contracts/types/Attestation.sol";
import {JobId} from "../../../contracts/types/JobId.sol";
import {Opening} from "../../../contracts/types/Opening.sol";
import {Parameters} from "../../../contracts/types/Parameters.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Signatures} from "../../../contracts/types/Signatures.sol";
import {Trade} from "../fixture/Trade.sol";

/// @notice `collateral.tree`.
contract CollateralTest is Trade {
    uint104 private constant OWN = 3e17;

    /// @notice The provider keeps only `OWN` free, less than any bond here.
    function setUp() public override {
        super.setUp();
        vm.prank(provider);
        escrow.withdraw(provider, ENDOWMENT - OWN);
    }

    function stake() private view returns (IProviderRegistry.Provider memory) {
        return registry.providerOf(provider);
    }

    function assertStake(uint256 whole, uint256 reserved) private view {
        vm.assertEq(uint256(stake().stake), whole, "stake");
        vm.assertEq(uint256(stake().reserved), reserved, "reserved");
        vm.assertEq(credit.balanceOf(address(registry)), whole - reserved, "credits of the registry");
    }

    function assertProvider(uint256 free, uint256 locked) private view {
        vm.assertEq(uint256(escrow.accountOf(provider).free), free, "free");
        vm.assertEq(uint256(escrow.accountOf(provider).locked), locked, "locked");
    }

    /// @dev The escrow holds what it owes, to the atom.
    function assertSolvent() private view {
        address[6] memory all = [buyer, sponsor, provider, verifier, arbiter, relayer];
        uint256 owed = escrow.fees();
        for (uint256 i; i < all.length; ++i) {
            owed += uint256(escrow.accountOf(all[i]).free) + escrow.accountOf(all[i]).locked;
        }
        vm.assertEq(credit.balanceOf(address(escrow)), owed, "tokens that the escrow holds");
    }

    // ---------------------------------------------------------------- open

    function test_WhatIsMissingOfTheBond_ComesFromTheStake() external {
        Terms memory t = usualTerms();
        uint104 missing = t.bond - OWN;
        JobId id = escrow.jobIdOf(t);
        Signatures memory given = signatures(t);
        vm.expectEmit(address(registry));
        emit IProviderRegistry.StakeReserved(provider, missing, missing);
        vm.expectEmit(address(escrow));
        emit IJobEscrow.BondStaked(id, provider, missing);
        vm.prank(relayer);
        escrow.open(t, given);

        vm.assertEq(uint256(escrow.stakedOf(id)), missing);
        assertProvider(0, t.bond);
        assertStake(PROVIDER_STAKE, missing);
        assertSolvent();
    }

    function test_WithEnoughFree_TheRegistryIsNotTouched() external {
        Terms memory t = usualTerms();
        endow(provider, t.bond - OWN);
        JobId id = open(t);
        vm.assertEq(uint256(escrow.stakedOf(id)), 0);
        assertProvider(0, t.bond);
        assertStake(PROVIDER_STAKE, 0);
        pass(t, 600);
        assertStake(PROVIDER_STAKE, 0);
    }

    function test_ReservationsNeverExceedTheStake() external {
        Terms memory t = usualTerms();
        t.bond = OWN + 6e18;
        open(t);
        Terms memory second = usualTerms();
        second.nonce = 2;
        second.bond = 4e18 + 1;
        Signatures memory given = signatures(second);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.FreeStakeTooSmall.selector, provider, 4e18, 4e18 + 1));
        escrow.open(second, given);
        assertStake(PROVIDER_STAKE, 6e18);

        second.bond = 4e18;
        open(second);
        assertStake(PROVIDER_STAKE, PROVIDER_STAKE);
        assertSolvent();
    }

    function test_AJobFromAWallet_AndOneOfABatch_AreBackedAlike() external {
        Terms memory t = usualTerms();
        fund(buyer, escrowOf(t));
        vm.prank(buyer);
        credit.approve(address(escrow), escrowOf(t));
        Signatures memory given = signatures(t);
        vm.prank(relayer);
        escrow.openFromWallet(t, given);
        assertStake(PROVIDER_STAKE, t.bond - OWN);

        Opening[] memory items = new Opening[](1);
        items[0].terms = usualTerms();
        items[0].terms.nonce = 2;
        items[0].signatures = signatures(items[0].terms);
        vm.prank(relayer);
        escrow.openMany(items);
        assertStake(PROVIDER_STAKE, t.bond - OWN + items[0].terms.bond);
        assertSolvent();
    }

    function test_TheCapOnExposure_CountsTheWholeBond() external {
        Parameters memory p = defaultParameters();
        p.maxLocked[0] = 1;
        vm.prank(address(timelock));
        escrow.setParameters(p);
        Terms memory t = usualTerms();
        Signatures memory given = signatures(t);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.ExposureTooLarge.selector, provider, t.bond, 1e18));
        escrow.open(t, given);
        assertStake(PROVIDER_STAKE, 0);
    }

    // ---------------------------------------------------------------- closes

    function test_APass_FreesTheStake() external {
        Terms memory t = usualTerms();
        JobId id = open(t);
        uint104 missing = t.bond - OWN;
        Attestation memory a = statement(t, Verdict.Pass, 1_000, true);
        bytes memory signature = sign(verifier, escrow.attestationDigest(a));
        vm.expectEmit(address(escrow));
        emit IJobEscrow.BondUnstaked(id, provider, missing);
        vm.expectEmit(address(registry));
        emit IProviderRegistry.StakeReleased(provider, missing, 0);
        vm.prank(relayer);
        escrow.attest(t, a, signature);

        uint256 gross = uint256(t.unitPrice) * 1_000;
        assertProvider(OWN + gross - gross / 100, 0);
        assertStake(PROVIDER_STAKE, 0);
        vm.assertEq(uint256(escrow.stakedOf(id)), 0);
        assertSolvent();
    }

    function test_APassToTheWallet_TakesThePayAndLeavesTheStake() external {
        Terms memory t = usualTerms();
        open(t);
        Attestation memory a = statement(t, Verdict.Pass, 1_000, true);
        bytes memory signature = sign(verifier, escrow.attestationDigest(a));
        uint256 before = credit.balanceOf(provider);
        vm.prank(provider);
        escrow.attestToWallet(t, a, signature);
        uint256 gross = uint256(t.unitPrice) * 1_000;
        vm.assertEq(credit.balanceOf(provider), before + gross - gross / 100);
        assertProvider(OWN, 0);
        assertStake(PROVIDER_STAKE, 0);
        assertSolvent();
    }

    /// @dev The share of a bond that a ruling takes decides what of it is the provider's own, and what is stake.
    function testFuzz_ASlash_TakesTheOwnPartFirst_AndThenTheStake(uint16 slashBps, uint104 bond, uint104 own) external {
        Terms memory t = usualTerms();
        t.bond = uint104(bound(bond, 1e18, PROVIDER_STAKE));
        own = uint104(bound(own, 0, t.bond - 1));
        if (own > OWN) endow(provider, own - OWN);
        else escrowTakes(OWN - own);
        slashBps = uint16(bound(slashBps, 0, 10_000));
        openDisputed(t);
        uint104 staked = t.bond - own;
        assertStake(PROVIDER_STAKE, staked);
        uint256 inCourt = uint256(escrow.accountOf(provider).free);
        vm.assertEq(inCourt, 0);
        rule(t, ruling(t, 0, slashBps, 0));

        uint256 slash = uint256(t.bond) * slashBps / 10_000;
        uint256 lost = slash > own ? slash - own : 0;
        assertStake(PROVIDER_STAKE - lost, 0);
        assertProvider(t.bond - slash - (staked - lost), 0);
        assertSolvent();
    }

    function escrowTakes(uint104 amount) private {
        vm.prank(provider);
        escrow.withdraw(provider, amount);
    }

    function test_AFailThatStands_TakesBoth_AndTheBuyerHasThem() external {
        Terms memory t = usualTerms();
        t.unitPrice = 1e16; // 10 credits of value: the slash goes to the buyer whole
        t.bond = 5e18;
        endow(buyer, 10e18);
        JobId id = open(t);
        uint104 before = escrow.accountOf(buyer).free;
        fail(t);
        passDeadline(t);
        vm.expectEmit(address(escrow));
        emit IJobEscrow.BondUnstaked(id, provider, 0);
        vm.expectEmit(address(registry));
        emit IProviderRegistry.StakeSlashed(provider, t.bond - OWN, PROVIDER_STAKE - (t.bond - OWN));
        finalize(t);
        assertProvider(0, 0);
        assertStake(PROVIDER_STAKE - (t.bond - OWN), 0);
        vm.assertEq(uint256(escrow.accountOf(buyer).free), before + escrowOf(t) - t.verifierFee + t.bond);
        assertSolvent();
    }

    // ---------------------------------------------------------------- the registry

    function test_Reserve_RevertWhen_TheCallerIsNotTheEscrow() external {
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.CallerNotEscrow.selector, buyer, address(escrow)));
        vm.prank(buyer);
        registry.reserve(provider, 1);
    }

    function test_Release_RevertWhen_TheCallerIsNotTheEscrow() external {
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.CallerNotEscrow.selector, provider, address(escrow)));
        vm.prank(provider);
        registry.release(provider, 0, 0);
    }

    function failAndFinalize(Terms memory t) private {
        fail(t);
        passDeadline(t);
        finalize(t);
    }

    function test_ASlashBelowTheLeastStake_KeepsTheProviderFromNewJobs_UntilItAdds() external {
        Terms memory t = usualTerms();
        open(t);
        fail(t);
        passDeadline(t);
        vm.expectEmit(address(registry));
        emit IProviderRegistry.ListingChanged(provider, false);
        finalize(t);
        vm.assertFalse(registry.isActive(provider));

        Terms memory second = usualTerms();
        second.nonce = 2;
        second.openBy = uint40(block.timestamp + 1);
        second.end = uint40(block.timestamp + 1 days);
        Signatures memory given = signatures(second);
        vm.expectRevert(abi.encodeWithSelector(IStandings.ProviderNotActive.selector, provider));
        escrow.open(second, given);

        uint104 lost = t.bond - OWN;
        fund(provider, lost);
        vm.startPrank(provider);
        credit.approve(address(registry), lost);
        registry.addStake(lost - 1);
        vm.assertFalse(registry.isActive(provider));
        vm.expectEmit(address(registry));
        emit IProviderRegistry.ListingChanged(provider, true);
        registry.addStake(1);
        vm.stopPrank();
        vm.assertTrue(registry.isActive(provider));
    }

    function test_ASlashOfAllOfIt_WhileItLeaves_LeavesAStranger() external {
        Terms memory t = usualTerms();
        t.bond = OWN + PROVIDER_STAKE;
        open(t);
        vm.prank(provider);
        registry.requestExit();
        failAndFinalize(t);
        assertStake(0, 0);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.NotRegistered.selector, provider));
        vm.prank(provider);
        registry.exit();

        enlist(provider);
        vm.assertTrue(registry.isActive(provider));
        vm.assertEq(uint256(stake().exitRequestedAt), 0);
        assertStake(PROVIDER_STAKE, 0);
    }

    function test_Exit_RevertWhen_StakeIsReserved() external {
        Terms memory t = usualTerms();
        open(t);
        vm.prank(provider);
        registry.requestExit();
        vm.warp(block.timestamp + PROVIDER_UNBONDING + 1);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.JobsStillLive.selector, t.bond));
        vm.prank(provider);
        registry.exit();

        reclaim(t); // nothing was delivered: the bond is gone
        uint256 before = credit.balanceOf(provider);
        vm.prank(provider);
        registry.exit();
        vm.assertEq(credit.balanceOf(provider), before + PROVIDER_STAKE - (t.bond - OWN));
        vm.assertEq(credit.balanceOf(address(registry)), 0);
    }
}
