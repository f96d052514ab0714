// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ClosedJob, ClosedJobPacking} from "../../../contracts/libraries/ClosedJob.sol";
import {JobPacking, JobSlot} from "../../../contracts/libraries/JobSlot.sol";
import {ClosedBy, Job, JobState, Outcome} from "../../../contracts/types/Job.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice For every word that a job can have and every argument: a transition writes its fields and no other bit.
contract JobSlotSymbolic is Symbolic {
    uint256 private immutable STATE = mask(0, 3);
    uint256 private immutable OUTCOME = mask(3, 2);
    uint256 private immutable ACCEPTED = mask(21, 64);
    uint256 private immutable PENDING = mask(85, 64);
    uint256 private immutable DEADLINE = mask(149, 40);
    uint256 private immutable QUALITY = mask(189, 16);

    function check_Opened_HoldsWhatItWasGiven(uint16 fee, uint40 end, uint40 blockNumber, bool staked) external pure {
        JobSlot slot = JobPacking.opened(fee, end, blockNumber, staked);
        Job memory job = slot.unpack();
        assert(job.state == JobState.Open && job.outcome == Outcome.NoFault);
        assert(job.feeBps == fee && job.deadline == end && job.openedIn == blockNumber);
        assert(job.accepted == 0 && job.pending == 0 && job.qualityBps == 10_000);
        assert(job.closedBy == ClosedBy.Attested && !job.verifierPaid && !job.failed);
        assert(slot.staked() == staked && slot.lives());
    }

    function check_Waiting_WritesTheWindowAlone(uint256 word, uint8 outcome, uint64 units, uint40 end) external view {
        vm.assume(word & 7 <= uint256(JobState.Closed));
        vm.assume(outcome <= uint8(Outcome.Fail));
        JobSlot slot = JobSlot.wrap(word).waiting(Outcome(outcome), units, end);
        assert(slot.state() == JobState.Pending && slot.outcome() == Outcome(outcome));
        assert(slot.pending() == units && slot.deadline() == end);
        assert(slot.awaits(Outcome(outcome)) && slot.lives());
        assert(slot.isFinal() == (outcome >= uint8(Outcome.Pass)));
        assert(sameBut(JobSlot.unwrap(slot), word, STATE | OUTCOME | PENDING | DEADLINE));
    }

    function check_Disputed_WritesStateAndDeadlineAlone(uint256 word, uint40 end) external view {
        JobSlot slot = JobSlot.wrap(word).disputed(end);
        assert(slot.state() == JobState.Disputed && slot.deadline() == end && slot.lives());
        assert(sameBut(JobSlot.unwrap(slot), word, STATE | DEADLINE));
    }

    function check_AcceptedAndQuality_WriteThemselvesAlone(uint256 word, uint64 units, uint16 share) external view {
        JobSlot slot = JobSlot.wrap(word).withAccepted(units);
        assert(slot.accepted() == units && sameBut(JobSlot.unwrap(slot), word, ACCEPTED));
        slot = JobSlot.wrap(word).withQuality(share);
        assert(slot.qualityBps() == share && sameBut(JobSlot.unwrap(slot), word, QUALITY));
    }

    function check_Closed_SettlesAndKeepsTheRest(uint256 word, uint64 units, uint8 cause, bool paid, bool failed)
        external
        view
    {
        vm.assume(cause <= uint8(ClosedBy.Cancelled));
        // A job that lives has nothing in what only a close writes.
        vm.assume(word & mask(245, 5) == 0);
        JobSlot slot = JobSlot.wrap(word).closed(units, ClosedBy(cause), paid, failed);
        Job memory job = slot.unpack();
        assert(job.state == JobState.Closed && job.accepted == units && job.pending == 0 && job.deadline == 0);
        assert(job.closedBy == ClosedBy(cause) && job.verifierPaid == paid && job.failed == failed);
        assert(!slot.lives());
        assert(sameBut(JobSlot.unwrap(slot), word, STATE | ACCEPTED | PENDING | DEADLINE | mask(245, 5)));
    }

    function check_Lives_IsOpenPendingOrDisputed(uint256 word) external pure {
        uint256 state = word & 7;
        assert(JobSlot.wrap(word).lives() == (state >= 1 && state <= 3));
    }

    function check_ClosedJob_GivesBackWhatWasPacked(
        uint104 fee,
        uint104 undelivered,
        uint16 quality,
        uint8 cause,
        uint8 outcome,
        bool failed,
        bool buyerLost
    ) external pure {
        vm.assume(cause <= uint8(ClosedBy.Cancelled) && outcome <= uint8(Outcome.Fail));
        ClosedJob closed =
            ClosedJobPacking.pack(fee, undelivered, quality, ClosedBy(cause), Outcome(outcome), failed, buyerLost);
        assert(closed.fee() == fee && closed.undelivered() == undelivered);
        assert(closed.failed() == failed && closed.buyerLost() == buyerLost);
        assert(closed.ruled() == (cause == uint8(ClosedBy.Ruled)));
        assert(closed.agreedAfterFail() == (cause == uint8(ClosedBy.Agreed) && outcome == uint8(Outcome.Fail)));
        assert(closed.passDenied() == (cause == uint8(ClosedBy.DisputedByDefault) && outcome == uint8(Outcome.Pass)));
        uint256 counted = outcome == uint8(Outcome.Pass) && quality < 10_000 ? quality : 10_000;
        assert(closed.qualityBps() == counted);
    }
}
