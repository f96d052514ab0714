// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ICreditScores} from "../../../contracts/interfaces/ICreditScores.sol";
import {IStandings} from "../../../contracts/interfaces/IStandings.sol";
import {ScorePacking, ScoreSlot} from "../../../contracts/libraries/ScoreSlot.sol";
import {Attestation, Verdict} from "../../../contracts/types/Attestation.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Trade} from "../fixture/Trade.sol";

/// @notice `ScoresOfRulings.tree`: what rulings, sponsors and partial deliveries do to either side, through the escrow; and the edges of a word.
contract ScoresOfRulingsTest is Trade {
    uint8 private constant BUYER = 0;
    uint8 private constant PROVIDER = 1;

    function behaviourOf(address account, uint8 role) private view returns (uint256) {
        return scores.standingOf(account, role).behaviourDebit;
    }

    /// @dev The fee of 600 units, 1 % rounded down, in weights rounded up.
    function feeOf600(Terms memory t) private pure returns (uint256) {
        uint256 fee = uint256(t.unitPrice) * 600 / 100;
        return (fee + 1e12 - 1) / 1e12 * 1e12;
    }

    function test_AClaimThatWasRight_CostsTheBuyerItsFee() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        rule(t, ruling(t, 600, 0, 0));
        vm.assertEq(behaviourOf(buyer, BUYER), feeOf600(t));
        vm.assertEq(behaviourOf(provider, PROVIDER), uint256(0));
    }

    function test_AClaimThatWasPartlyRight_CostsTheBuyerNothing() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        rule(t, ruling(t, 600, 0, 1));
        vm.assertEq(behaviourOf(buyer, BUYER), uint256(0));
        t.nonce = 2;
        openDisputed(t);
        rule(t, ruling(t, 600, 1, 0));
        vm.assertEq(behaviourOf(buyer, BUYER), uint256(0));
    }

    function test_ARulingOnAPass_CostsTheBuyerNothing() external {
        Terms memory t = slowTerms();
        openPending(t);
        disputeAs(buyer, t);
        rule(t, ruling(t, 600, 0, 0));
        vm.assertEq(behaviourOf(buyer, BUYER), uint256(0));
    }

    function test_ARulingOnAnIndependentFail_CostsTheBuyerNothing() external {
        Terms memory t = usualTerms();
        open(t);
        fail(t);
        disputeAs(provider, t);
        rule(t, ruling(t, 600, 0, 0));
        vm.assertEq(behaviourOf(buyer, BUYER), uint256(0));
    }

    function test_AFailOfItsOwnThatWasWrong_CostsTheBuyerTheFee() external {
        Terms memory t = ownTerms();
        open(t);
        fail(t);
        disputeAs(provider, t);
        rule(t, ruling(t, 600, 0, 0));
        vm.assertEq(behaviourOf(buyer, BUYER), feeOf600(t));
    }

    function test_AFailThatTheBuyerSigned_OverASponsorsMoney_CostsItTheFee() external {
        Terms memory t = sponsoredTerms();
        t.verifier = buyer;
        open(t);
        fail(t);
        disputeAs(provider, t);
        rule(t, ruling(t, 600, 0, 0));
        vm.assertEq(behaviourOf(buyer, BUYER), feeOf600(t));
        vm.assertEq(behaviourOf(sponsor, BUYER), uint256(0));
    }

    function test_AFailThatStood_CostsWhatIsMissingAlone() external {
        Terms memory t = usualTerms();
        open(t);
        reading(t, 600);
        fail(t);
        passDeadline(t);
        finalize(t);
        uint256 missing = uint256(t.unitPrice) * 400;
        uint256 expected = (missing / 100 + 1e12 - 1) / 1e12 * 1e12;
        vm.assertEq(uint256(scores.standingOf(provider, PROVIDER).fulfilmentDebit), expected);
    }

    function test_ASponsoredPass_EarnsNeitherSponsorNorBuyer() external {
        Terms memory t = sponsoredTerms();
        open(t);
        pass(t, t.maxUnits);
        vm.assertEq(uint256(scores.standingOf(sponsor, BUYER).credit), uint256(0));
        vm.assertEq(uint256(scores.standingOf(buyer, BUYER).credit), uint256(0));
        vm.assertGt(uint256(scores.standingOf(provider, PROVIDER).credit), uint256(0));
    }

    function test_HalfTheQualityOfHalfTheUnits_IsNoFailure() external {
        Terms memory t = usualTerms();
        open(t);
        Attestation memory a = statement(t, Verdict.Pass, 500, true);
        a.qualityBps = 5_000;
        attestAs(relayer, t, a);
        ICreditScores.Standing memory standing = scores.standingOf(provider, PROVIDER);
        vm.assertGt(uint256(standing.qualityDebit), uint256(0));
        vm.assertEq(uint256(standing.fulfilmentDebit), uint256(0));
        vm.assertEq(uint256(standing.behaviourDebit), uint256(0));
    }

    function test_SetListed_RevertWhen_TheCallerIsNotTheRegistry() external {
        vm.expectRevert(abi.encodeWithSelector(IStandings.CallerNotRegistry.selector, buyer, address(registry)));
        vm.prank(buyer);
        IStandings(address(escrow)).setListed(provider, false);
    }

    // ---------------------------------------------------------------- a word

    function word(uint256 credit_, uint256 debit) private pure returns (ScoreSlot) {
        return ScoreSlot.wrap(credit_ | debit << 64);
    }

    function test_ATier_IsReachedExactlyAtItsShare() external pure {
        vm.assertEq(word(107e6, 11e6).tier(), 3);
        vm.assertEq(word(107e6, 11e6 + 1).tier(), 2);
        vm.assertEq(word(11e6, 3e6).tier(), 2);
        vm.assertEq(word(11e6, 3e6 + 1).tier(), 1);
        vm.assertEq(word(2e6, 1e6).tier(), 1);
        vm.assertEq(word(2e6, 1e6 + 1).tier(), 0);
    }

    function test_AShare_IsOfTenThousand() external pure {
        vm.assertEq(ScorePacking.shareBps(type(uint32).max, 0), 9_997);
        vm.assertEq(ScorePacking.shareBps(0, type(uint32).max), 2);
    }

    function testFuzz_ABucket_IsTheHashOfCounterpartyAndEpoch(address counterparty, uint16 epoch) external pure {
        uint256 hashed = uint256(keccak256(abi.encode(uint256(uint160(counterparty)) | uint256(epoch) << 160)));
        vm.assertEq(ScorePacking.bucketOf(counterparty, epoch), hashed % 11);
    }

    function test_ACredit_StopsAtTheMostThatFits() external pure {
        address other = address(7);
        ScoreSlot almost = ScoreSlot.wrap(uint256(type(uint32).max) - 3);
        ScoreSlot full = almost.earn(other, 10);
        vm.assertEq(full.credit(), uint256(type(uint32).max));
        vm.assertEq(full.fulfilmentDebit(), 0);
        vm.assertEq(full.earnedIn(ScorePacking.bucketOf(other, 0)), 1);
        vm.assertEq(full.earn(other, 10).credit(), uint256(type(uint32).max));
    }
}
