// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IArbitration} from "../../../contracts/interfaces/IArbitration.sol";
import {Median} from "../../../contracts/libraries/Median.sol";
import {JobId} from "../../../contracts/types/JobId.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Panel} from "../fixture/Panel.sol";

/// @notice `Arbitration.tree`: createDispute, submitEvidence, draw, commit, reveal, rulingOf.
contract ArbitrationRoundsTest is Panel {
    function setUp() public override {
        super.setUp();
        setUpPanel(12);
    }

    function refusedToBring(Terms memory t, bytes memory reason) private {
        vm.expectRevert(reason);
        court.createDispute(t);
    }

    // ---------------------------------------------------------------- createDispute

    function test_CreateDispute_BeginsARound() external {
        Terms memory t = courtTerms();
        uint256 id = bring(t);
        IArbitration.Case memory c = court.caseOf(id);
        vm.assertEq(uint256(c.status), uint256(IArbitration.Status.Open));
        vm.assertEq(uint256(c.rounds), 1);
        vm.assertEq(court.disputeOfJob(escrow.jobIdOf(t)), id);
        vm.assertEq(uint256(court.roundOf(id, 0).commitBy), block.timestamp + COMMIT_WINDOW);
        vm.assertEq(court.currentRuling(id), 0);
    }

    function test_CreateDispute_RevertWhen_TheArbiterIsAnother_OrNothingIsDisputed() external {
        Terms memory t = usualTerms();
        openDisputed(t);
        refusedToBring(t, abi.encodeWithSelector(IArbitration.NotDisputed.selector, escrow.jobIdOf(t)));
        t = courtTerms();
        open(t);
        refusedToBring(t, abi.encodeWithSelector(IArbitration.NotDisputed.selector, escrow.jobIdOf(t)));
    }

    function test_CreateDispute_RevertWhen_BroughtBefore() external {
        Terms memory t = courtTerms();
        uint256 id = bring(t);
        refusedToBring(t, abi.encodeWithSelector(IArbitration.DisputeKnown.selector, id));
    }

    function test_CreateDispute_RevertWhen_TheFeeIsTooSmall() external {
        Terms memory t = courtTerms();
        t.arbiterFee -= 1;
        openDisputed(t);
        refusedToBring(t, abi.encodeWithSelector(IArbitration.FeeTooSmall.selector, 3 * SEAT_FEE - 1, 3 * SEAT_FEE));
    }

    function test_CreateDispute_RevertWhen_TheRoundsDoNotFit() external {
        Terms memory t = courtTerms();
        openDisputed(t);
        vm.warp(block.timestamp + 1);
        uint256 deadline = escrow.jobOf(escrow.jobIdOf(t)).deadline;
        refusedToBring(t, abi.encodeWithSelector(IArbitration.TooLittleTime.selector, deadline + 1, deadline));
    }

    function test_CreateDispute_RevertWhen_TooFewAreNoParties() external {
        setUpPanel(3);
        vm.prank(address(timelock));
        court.name(buyer);
        enter(buyer, ARBITER_STAKE);
        vm.prank(judges[0]);
        court.leave();
        Terms memory t = courtTerms();
        openDisputed(t);
        refusedToBring(t, abi.encodeWithSelector(IArbitration.TooFewArbiters.selector, 2, 3));
    }

    function test_SubmitEvidence_IsForPartiesAndTheVerifier() external {
        Terms memory sponsored = courtTerms();
        sponsored.payer = sponsor;
        uint256 id = bring(sponsored);
        vm.prank(sponsor);
        court.submitEvidence(id, "ipfs://evidence");
        vm.expectEmit(address(court));
        emit IArbitration.Evidence(address(court), id, buyer, "ipfs://evidence");
        vm.prank(buyer);
        court.submitEvidence(id, "ipfs://evidence");
        vm.prank(verifier);
        court.submitEvidence(id, "ipfs://evidence");
        vm.expectRevert(abi.encodeWithSelector(IArbitration.CallerNotParty.selector, relayer));
        vm.prank(relayer);
        court.submitEvidence(id, "ipfs://evidence");
        vm.expectRevert(abi.encodeWithSelector(IArbitration.NoSuchDispute.selector, 9));
        court.submitEvidence(9, "");
    }

    // ---------------------------------------------------------------- draw

    function test_Draw_SeatsAsManyAsTheRoundHas_WhoeverLeaves() external {
        uint256 id = bring(courtTerms());
        for (uint256 i; i < 12; ++i) {
            vm.prank(judges[i]);
            court.leave();
        }
        address[] memory seated = seat(id, 0);
        vm.assertEq(seated.length, 3);
        vm.assertEq(uint256(court.arbiterOf(seated[0]).sitting), 1);
    }

    function test_Draw_RevertWhen_InTheSameBlock_OrTwice_OrLate() external {
        uint256 id = bring(courtTerms());
        vm.expectRevert(abi.encodeWithSelector(IArbitration.TooEarly.selector, block.number, block.number + 1));
        court.draw(id);
        uint256 drawBy = block.timestamp + COMMIT_WINDOW / 2;
        vm.roll(block.number + 1);
        vm.warp(drawBy + 1);
        vm.expectRevert(abi.encodeWithSelector(IArbitration.TooLate.selector, drawBy + 1, drawBy));
        court.draw(id);
        vm.warp(drawBy);
        court.draw(id);
        vm.expectRevert(abi.encodeWithSelector(IArbitration.AlreadyDrawn.selector, id, 0));
        court.draw(id);
    }

    function test_Draw_OfAForgottenBlock_TiesTheLotsToANewOne() external {
        uint256 id = bring(courtTerms());
        vm.roll(block.number + 257);
        court.draw(id);
        vm.assertEq(court.roundOf(id, 0).seated, 0);
        vm.assertEq(uint256(court.roundOf(id, 0).lotsBlock), block.number);
        vm.assertEq(seat(id, 0).length, 3);
    }

    // ---------------------------------------------------------------- commit and reveal

    function test_Commit_RevertWhen_NotSeated_OrLate() external {
        uint256 id = bring(courtTerms());
        vm.expectRevert(abi.encodeWithSelector(IArbitration.NotSeated.selector, judges[0]));
        vm.prank(judges[0]);
        court.commit(id, SALT);
        address[] memory seated = seat(id, 0);
        vm.expectRevert(abi.encodeWithSelector(IArbitration.NotSeated.selector, relayer));
        vm.prank(relayer);
        court.commit(id, SALT);
        toReveal(id, 0);
        vm.expectRevert(abi.encodeWithSelector(IArbitration.TooLate.selector, block.timestamp, block.timestamp - 1));
        vm.prank(seated[0]);
        court.commit(id, SALT);
    }

    function test_Reveal_ShowsTheLastCommitment() external {
        uint256 id = bring(courtTerms());
        address[] memory seated = seat(id, 0);
        commitAs(seated[0], id, 0, 1, 1);
        commitAs(seated[0], id, 0, 400, 2_500);
        toReveal(id, 0);
        revealAs(seated[0], id, 400, 2_500);
        (bool decided, uint64 units, uint16 slashBps) = court.rulingOf(id);
        vm.assertTrue(decided);
        vm.assertEq(uint256(units), 400);
        vm.assertEq(uint256(slashBps), 2_500);
        vm.assertEq(court.currentRuling(id), 1 + (400 << 16) + 2_500);
    }

    function test_Reveal_RevertWhen_EarlyOrLate() external {
        uint256 id = bring(courtTerms());
        address[] memory seated = seat(id, 0);
        commitAs(seated[0], id, 0, 1, 1);
        IArbitration.Round memory r = court.roundOf(id, 0);
        vm.warp(r.commitBy);
        vm.expectRevert(abi.encodeWithSelector(IArbitration.TooEarly.selector, r.commitBy, r.commitBy));
        vm.prank(seated[0]);
        court.reveal(id, 1, 1, SALT);
        vm.warp(uint256(r.revealBy) + 1);
        vm.expectRevert(abi.encodeWithSelector(IArbitration.TooLate.selector, uint256(r.revealBy) + 1, r.revealBy));
        vm.prank(seated[0]);
        court.reveal(id, 1, 1, SALT);
    }

    function test_Reveal_RevertWhen_NotWhatWasCommitted_OrTwice_OrOutOfRange() external {
        Terms memory t = courtTerms();
        uint256 id = bring(t);
        address[] memory seated = seat(id, 0);
        commitAs(seated[0], id, 0, 1, 1);
        commitAs(seated[1], id, 0, t.maxUnits + 1, 0);
        commitAs(seated[2], id, 0, 0, 10_001);
        toReveal(id, 0);
        vm.expectPartialRevert(IArbitration.WrongReveal.selector);
        vm.prank(seated[0]);
        court.reveal(id, 2, 1, SALT);
        revealAs(seated[0], id, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(IArbitration.AlreadyVoted.selector, seated[0]));
        vm.prank(seated[0]);
        court.reveal(id, 1, 1, SALT);
        vm.expectRevert(abi.encodeWithSelector(IArbitration.VoteOutOfRange.selector, t.maxUnits + 1, t.maxUnits));
        vm.prank(seated[1]);
        court.reveal(id, t.maxUnits + 1, 0, SALT);
        vm.expectRevert(abi.encodeWithSelector(IArbitration.VoteOutOfRange.selector, 10_001, 10_000));
        vm.prank(seated[2]);
        court.reveal(id, 0, 10_001, SALT);
    }

    /// @dev Who copies a commitment cannot open it as its own.
    function test_ACopiedCommitment_DoesNotOpen() external {
        uint256 id = bring(courtTerms());
        address[] memory seated = seat(id, 0);
        bytes32 copied = court.commitmentOf(id, 0, seated[0], 500, 0, SALT);
        vm.prank(seated[1]);
        court.commit(id, copied);
        toReveal(id, 0);
        vm.expectPartialRevert(IArbitration.WrongReveal.selector);
        vm.prank(seated[1]);
        court.reveal(id, 500, 0, SALT);
    }

    // ---------------------------------------------------------------- the median

    function testFuzz_TheRuling_IsTheLowerMedianOfEach(uint16[3] memory units, uint16[3] memory slashes, uint8 count)
        external
    {
        uint256 voting = bound(count, 1, 3);
        uint256 id = bring(courtTerms());
        address[] memory seated = seat(id, 0);
        uint256[] memory byUnits = new uint256[](voting);
        uint256[] memory bySlash = new uint256[](voting);
        for (uint256 i; i < voting; ++i) {
            (byUnits[i], bySlash[i]) = (units[i] % 1_001, slashes[i] % 10_001);
            commitAs(seated[i], id, 0, uint64(byUnits[i]), uint16(bySlash[i]));
        }
        toReveal(id, 0);
        for (uint256 i; i < voting; ++i) {
            revealAs(seated[i], id, uint64(units[i] % 1_001), uint16(slashes[i] % 10_001));
        }
        (, uint64 ruledUnits, uint16 ruledSlash) = court.rulingOf(id);
        vm.assertEq(rankBelow(byUnits, ruledUnits), true);
        vm.assertEq(rankBelow(bySlash, ruledSlash), true);
    }

    /// @dev Fewer than half lie below the value, and at least half at it or below.
    function rankBelow(uint256[] memory values, uint256 value) private pure returns (bool) {
        uint256 below;
        uint256 upTo;
        for (uint256 i; i < values.length; ++i) {
            if (values[i] < value) ++below;
            if (values[i] <= value) ++upTo;
        }
        return below * 2 < values.length && upTo * 2 >= values.length;
    }

    /// @dev Voting anything but one's own view never brings the ruling closer to it.
    function testFuzz_NobodyGains_ByVotingAnythingElse(uint16[6] memory others, uint16 view_, uint16 lie)
        external
        pure
    {
        uint256[] memory honest = new uint256[](7);
        uint256[] memory lying = new uint256[](7);
        for (uint256 i; i < 6; ++i) {
            (honest[i], lying[i]) = (others[i], others[i]);
        }
        (honest[6], lying[6]) = (view_, lie);
        vm.assertLe(distance(Median.lower(honest), view_), distance(Median.lower(lying), view_));
    }

    function distance(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a - b : b - a;
    }
}
