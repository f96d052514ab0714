// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IStandings} from "../../../contracts/interfaces/IStandings.sol";
import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {IProviderRegistry} from "../../../contracts/interfaces/IProviderRegistry.sol";
import {Payout} from "../../../contracts/libraries/Payout.sol";
import {Job, JobState, Outcome} from "../../../contracts/types/Job.sol";
import {JobId} from "../../../contracts/types/JobId.sol";
import {Parameters} from "../../../contracts/types/Parameters.sol";
import {Signatures} from "../../../contracts/types/Signatures.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Vm} from "../cheatcodes/Vm.sol";
import {Books} from "../fixture/Books.sol";
import {Opened} from "../fixture/EscrowEvents.sol";

/// @notice `open.tree`: what the terms must fulfil, and what opening moves. Signatures are in `OpenAuthorisation.t.sol`.
contract OpenTest is Books {
    function expectRefused(Terms memory t, bytes memory reason) private {
        Signatures memory signed = signatures(t);
        vm.expectRevert(reason);
        vm.prank(relayer);
        escrow.open(t, signed);
    }

    function refusal(bytes4 selector, uint256 actual, uint256 limit) private pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, actual, limit);
    }

    // ---------------------------------------------------------------- the usual way

    function test_Open_LocksEscrowAndBond_AndSaysSo() external {
        Terms memory t = usualTerms();
        watch();

        JobId id = open(t);

        moves(buyer, -signed(escrowOf(t)), signed(escrowOf(t)));
        moves(provider, -signed(t.bond), signed(t.bond));
        assertBooks(0, 0);
        assertJob(t, JobState.Open, Outcome.NoFault, 0, 0, t.end);
        vm.assertEq(uint256(escrow.jobOf(id).feeBps), 100);
        vm.assertEq(uint256(escrow.jobOf(id).qualityBps), 10_000);

        Vm.Log memory log = onlyLog(IJobEscrow.JobOpened.selector);
        vm.assertEq(log.topics[1], JobId.unwrap(id));
        vm.assertEq(log.topics[2], bytes32(uint256(uint160(buyer))));
        vm.assertEq(log.topics[3], bytes32(uint256(uint160(provider))));
        Opened memory opened = abi.decode(log.data, (Opened));
        vm.assertEq(keccak256(abi.encode(opened.terms)), keccak256(abi.encode(t)));
        vm.assertEq(uint256(opened.feeBps), 100);
        vm.assertEq(uint256(opened.escrow), 3e18 + 1_000 + 5e16 + 2e17 + 1);
        vm.assertEq(uint256(opened.fromWallet), 0);
    }

    function test_Open_EscrowsFromThePayer_WhenSomebodyElsePays() external {
        Terms memory t = sponsoredTerms();
        watch();

        open(t);

        moves(sponsor, -signed(escrowOf(t)), signed(escrowOf(t)));
        moves(provider, -signed(t.bond), signed(t.bond));
        assertBooks(0, 0);
    }

    // ---------------------------------------------------------------- before

    function test_RevertWhen_OpenedBefore() external {
        Terms memory t = usualTerms();
        open(t);

        expectRefused(t, abi.encodeWithSelector(IJobEscrow.WrongState.selector, JobState.Open, Outcome.NoFault));
    }

    function test_RevertWhen_ClosedBefore() external {
        Terms memory t = usualTerms();
        open(t);
        pass(t, 100);

        expectRefused(t, abi.encodeWithSelector(IJobEscrow.WrongState.selector, JobState.Closed, Outcome.Pass));
    }

    function test_RevertWhen_CancelledBefore() external {
        Terms memory t = usualTerms();
        vm.prank(provider);
        escrow.cancel(t);

        expectRefused(t, abi.encodeWithSelector(IJobEscrow.WrongState.selector, JobState.Closed, Outcome.NoFault));
    }

    function test_RevertWhen_OpeningIsPaused() external {
        vm.prank(guardian);
        escrow.pause();

        expectRefused(usualTerms(), abi.encodeWithSelector(IJobEscrow.OpeningPaused.selector));
    }

    // ---------------------------------------------------------------- roles

    function test_RevertWhen_TheProviderIsTheBuyer() external {
        Terms memory t = sponsoredTerms();
        t.buyer = provider;
        expectRefused(t, abi.encodeWithSelector(IJobEscrow.RolesConflict.selector, provider));
    }

    function test_RevertWhen_TheProviderIsThePayer() external {
        Terms memory t = usualTerms();
        t.payer = provider;
        expectRefused(t, abi.encodeWithSelector(IJobEscrow.RolesConflict.selector, provider));
    }

    function test_RevertWhen_TheProviderIsTheVerifier() external {
        Terms memory t = usualTerms();
        t.verifier = provider;
        expectRefused(t, abi.encodeWithSelector(IJobEscrow.RolesConflict.selector, provider));
    }

    function test_RevertWhen_TheArbiterHasAnotherRole() external {
        address[4] memory others = [provider, buyer, sponsor, verifier];
        for (uint256 i; i < others.length; ++i) {
            Terms memory t = sponsoredTerms();
            t.arbiter = others[i];
            expectRefused(t, abi.encodeWithSelector(IJobEscrow.RolesConflict.selector, others[i]));
        }
    }

    function test_Open_WithNoArbiterAndNoVerifier() external {
        Terms memory t = usualTerms();
        t.arbiter = address(0);
        t.verifier = address(0);
        open(t);
        assertJob(t, JobState.Open, Outcome.NoFault, 0, 0, t.end);
    }

    function test_Open_WhenThePayerVerifies() external {
        Terms memory t = sponsoredTerms();
        t.verifier = sponsor;
        open(t);
        assertJob(t, JobState.Open, Outcome.NoFault, 0, 0, t.end);
    }

    // ---------------------------------------------------------------- times

    function test_Open_AtTheLastSecond() external {
        Terms memory t = usualTerms();
        vm.warp(t.openBy);
        open(t);
        assertJob(t, JobState.Open, Outcome.NoFault, 0, 0, t.end);
    }

    function test_RevertWhen_OneSecondLate() external {
        Terms memory t = usualTerms();
        vm.warp(uint256(t.openBy) + 1);
        expectRefused(t, refusal(IJobEscrow.TooLate.selector, uint256(t.openBy) + 1, t.openBy));
    }

    function test_RevertWhen_TheEndIsNotAfterOpenBy() external {
        Terms memory t = usualTerms();
        t.end = t.openBy;
        expectRefused(
            t,
            abi.encodeWithSelector(
                IJobEscrow.EndOutOfRange.selector, t.end, uint256(t.openBy) + 1, START + escrow.MAX_DURATION()
            )
        );
    }

    function test_RevertWhen_TheEndIsBeyondTheLongestDuration() external {
        Terms memory t = usualTerms();
        uint256 latest = START + escrow.MAX_DURATION();
        t.end = uint40(latest + 1);
        expectRefused(
            t, abi.encodeWithSelector(IJobEscrow.EndOutOfRange.selector, t.end, uint256(t.openBy) + 1, latest)
        );
    }

    function test_Open_ForTheLongestDurationAndWindows() external {
        Terms memory t = usualTerms();
        t.end = uint40(START + escrow.MAX_DURATION());
        t.disputeWindow = escrow.MAX_WINDOW();
        t.passWindow = escrow.MAX_WINDOW();
        t.rulingWindow = escrow.MAX_WINDOW();
        open(t);
        assertJob(t, JobState.Open, Outcome.NoFault, 0, 0, t.end);
    }

    function expectWindowRefused(Terms memory t, uint256 window, uint256 low) private {
        uint256 high = escrow.MAX_WINDOW();
        expectRefused(t, abi.encodeWithSelector(IJobEscrow.WindowOutOfRange.selector, window, low, high));
    }

    function test_RevertWhen_TheDisputeWindowIsUnderTheFloor() external {
        Terms memory t = usualTerms();
        t.disputeWindow = 1 hours - 1;
        expectWindowRefused(t, t.disputeWindow, 1 hours);
    }

    function test_RevertWhen_TheDisputeWindowIsOverTheCap() external {
        Terms memory t = usualTerms();
        t.disputeWindow = escrow.MAX_WINDOW() + 1;
        expectWindowRefused(t, t.disputeWindow, 1 hours);
    }

    function test_RevertWhen_ThePassWindowIsOverTheCap() external {
        Terms memory t = usualTerms();
        t.passWindow = escrow.MAX_WINDOW() + 1;
        expectWindowRefused(t, t.passWindow, 0);
    }

    function test_RevertWhen_TheRulingWindowIsOverTheCap() external {
        Terms memory t = usualTerms();
        t.rulingWindow = escrow.MAX_WINDOW() + 1;
        expectWindowRefused(t, t.rulingWindow, 0);
    }

    // ---------------------------------------------------------------- units and amounts

    function test_RevertWhen_ThereAreNoUnits() external {
        Terms memory t = usualTerms();
        t.minUnits = 0;
        t.maxUnits = 0;
        expectRefused(t, abi.encodeWithSelector(IJobEscrow.UnitsOutOfRange.selector, 0, 1, type(uint64).max));
    }

    function test_RevertWhen_TheLeastUnitsExceedTheMost() external {
        Terms memory t = usualTerms();
        t.minUnits = t.maxUnits + 1;
        expectRefused(
            t, abi.encodeWithSelector(IJobEscrow.UnitsOutOfRange.selector, t.maxUnits, t.minUnits, type(uint64).max)
        );
    }

    function test_RevertWhen_TheEscrowDoesNotFit() external {
        Terms memory t = usualTerms();
        t.unitPrice = type(uint104).max;
        t.maxUnits = type(uint64).max;
        uint256 amount = uint256(t.unitPrice) * t.maxUnits + t.verifierFee + t.arbiterFee;
        expectRefused(t, refusal(Payout.AmountTooLarge.selector, amount, type(uint104).max));
    }

    function test_RevertWhen_OnlyTheFeesMakeTheEscrowNotFit() external {
        Terms memory t = usualTerms();
        t.unitPrice = type(uint104).max;
        t.maxUnits = 1;
        t.minUnits = 1;
        t.verifierFee = 1;
        t.arbiterFee = 0;
        expectRefused(t, refusal(Payout.AmountTooLarge.selector, uint256(1) << 104, type(uint104).max));
    }

    // ---------------------------------------------------------------- rates

    function test_RevertWhen_TheProviderIsUnknown() external {
        Terms memory t = usualTerms();
        t.provider = relayer;
        expectRefused(t, abi.encodeWithSelector(IStandings.ProviderNotActive.selector, relayer));
    }

    function test_RevertWhen_TheProviderIsLeaving() external {
        vm.prank(provider);
        registry.requestExit();
        expectRefused(usualTerms(), abi.encodeWithSelector(IStandings.ProviderNotActive.selector, provider));
    }

    function test_RevertWhen_TheFeeIsAboveWhatThePartiesAccept() external {
        Terms memory t = usualTerms();
        t.maxFeeBps = 99;
        expectRefused(t, refusal(IJobEscrow.FeeTooHigh.selector, 100, 99));
    }

    function test_RevertWhen_TheBondIsUnderTheTiersDemand() external {
        Terms memory t = usualTerms();
        uint256 demanded = uint256(t.unitPrice) * t.maxUnits / 5;
        t.bond = uint104(demanded - 1);
        expectRefused(t, refusal(IJobEscrow.BondTooSmall.selector, demanded - 1, demanded));
    }

    function test_Open_WithExactlyTheBondDemanded() external {
        Terms memory t = usualTerms();
        t.bond = uint104(uint256(t.unitPrice) * t.maxUnits / 5);
        open(t);
        vm.assertEq(uint256(escrow.accountOf(provider).locked), t.bond);
    }

    function test_RevertWhen_TheBondIsUnderTheArbitersFee() external {
        Terms memory t = usualTerms();
        t.arbiterFee = 5e18;
        t.bond = 5e18 - 1;
        expectRefused(t, refusal(IJobEscrow.BondTooSmall.selector, 5e18 - 1, 5e18));
    }

    function test_Open_KeepsItsFee_WhenTheParametersChangeAfterwards() external {
        Terms memory t = usualTerms();
        t.end = uint40(START + 30 days);
        JobId id = open(t);
        Parameters memory dear = defaultParameters();
        dear.feeBps = [uint16(500), 500, 500, 500];
        govern(address(escrow), abi.encodeCall(IJobEscrow.setParameters, (dear)));

        Job memory job = escrow.jobOf(id);
        vm.assertEq(uint256(job.feeBps), 100);
        vm.assertEq(uint256(escrow.parameters().feeBps[0]), 500);
    }

    // ---------------------------------------------------------------- balances

    function test_RevertWhen_ThePayersFreeBalanceIsTooSmall() external {
        Terms memory t = usualTerms();
        uint104 needed = escrowOf(t);
        vm.prank(buyer);
        escrow.withdraw(buyer, ENDOWMENT - needed + 1);
        expectRefused(t, abi.encodeWithSelector(IJobEscrow.InsufficientFree.selector, buyer, needed - 1, needed));
    }

    function test_RevertWhen_TheProvidersFreeBalanceAndItsStakeAreTooSmall() external {
        Terms memory t = usualTerms();
        t.bond = ENDOWMENT + PROVIDER_STAKE + 1;
        expectRefused(
            t,
            abi.encodeWithSelector(
                IProviderRegistry.FreeStakeTooSmall.selector, provider, PROVIDER_STAKE, PROVIDER_STAKE + 1
            )
        );
    }
}
