// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ICreditScores} from "../../../contracts/interfaces/ICreditScores.sol";
import {ScorePacking} from "../../../contracts/libraries/ScoreSlot.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Trade} from "../fixture/Trade.sol";

/// @notice What closes of real jobs do to the words in the escrow. `CreditScores.tree` has the rest.
contract ScoresOfTradesTest is Trade {
    uint8 private constant BUYER = 0;
    uint8 private constant PROVIDER = 1;
    /// @dev Of the escrow, as SPEC.md lists it.
    uint256 private constant STANDINGS_SLOT = 2;

    function assertStanding(address account, uint8 role, uint256 credit_, uint256 debit) private view {
        ICreditScores.Standing memory standing = scores.standingOf(account, role);
        vm.assertEq(uint256(standing.credit), credit_, "credit");
        uint256 sum = uint256(standing.fulfilmentDebit) + standing.qualityDebit + standing.behaviourDebit;
        vm.assertEq(sum, debit, "debits");
    }

    function assertDebits(address account, uint8 role, uint256 fulfilment, uint256 quality, uint256 behaviour)
        private
        view
    {
        ICreditScores.Standing memory standing = scores.standingOf(account, role);
        vm.assertEq(uint256(standing.fulfilmentDebit), fulfilment, "fulfilment");
        vm.assertEq(uint256(standing.qualityDebit), quality, "quality");
        vm.assertEq(uint256(standing.behaviourDebit), behaviour, "behaviour");
    }

    function test_ThroughTheEscrow_APassRaisesBothSides() external {
        Terms memory t = usualTerms();
        open(t);
        pass(t, t.maxUnits);
        assertStanding(provider, PROVIDER, 0.00375e18, 0);
        assertStanding(buyer, BUYER, 0.00375e18, 0);
    }

    function test_ThroughTheEscrow_SilenceToTheEndLowersTheProvider() external {
        Terms memory t = usualTerms();
        open(t);
        passDeadline(t);
        reclaim(t);
        // a hundredth of 3 credits and some atoms, rounded up
        assertDebits(provider, PROVIDER, 0.030001e18, 0, 0);
        assertStanding(buyer, BUYER, 0, 0);
    }

    function test_ThroughTheEscrow_ARulingThatSlashesLowersTheProvider() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        rule(t, ruling(t, 0, 1, 0));
        assertDebits(provider, PROVIDER, 0.030001e18, 0, 0.030001e18);
    }

    function test_ThroughTheEscrow_ARulingThatSlashesNothing_DoesNot() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        rule(t, ruling(t, 0, 0, 10_000));
        assertStanding(provider, PROVIDER, 0, 0);
    }

    function test_ThroughTheEscrow_ABetterTierPaysLessFeeAndBond() external {
        // A listed provider that has earned 100 credits this week.
        bytes32 slot = keccak256(abi.encode(uint256(uint160(provider)) | uint256(PROVIDER) << 160, STANDINGS_SLOT));
        uint256 word = uint256(1) << 255 | ScorePacking.epochOf(block.timestamp) << 128 | 100e6;
        vm.store(address(escrow), slot, bytes32(word));
        vm.assertEq(uint256(scores.tierOf(provider)), 3);
        Terms memory t = usualTerms();
        t.arbiterFee = 0;
        t.bond = uint104(uint256(t.unitPrice) * t.maxUnits / 20);
        open(t);
        vm.assertEq(uint256(escrow.jobOf(escrow.jobIdOf(t)).feeBps), 40);
    }
}
