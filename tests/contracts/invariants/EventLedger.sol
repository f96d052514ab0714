// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {JobState, Outcome} from "../../../contracts/types/Job.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Vm} from "../cheatcodes/Vm.sol";
import {Attested, Closed, Opened, Paid} from "../fixture/EscrowEvents.sol";

/// @notice Balances and jobs rebuilt from events alone, by the comments beside them in `IJobEscrow`. Reverts when an event cannot follow.
abstract contract EventLedger {
    struct Row {
        JobState state;
        Outcome outcome;
        uint64 accepted;
        uint64 pending;
        uint40 deadline;
        uint104 escrow;
    }

    mapping(address account => int256) internal free;
    mapping(address account => int256) internal locked;
    int256 internal fees;
    /// Sum of all of free, locked and fees.
    int256 internal owed;
    mapping(bytes32 job => Row) internal rows;
    mapping(bytes32 job => Terms) private terms;

    error EventCannotFollow(bytes32 kind, bytes32 job);
    error LegsDoNotAddUp(bytes32 job, uint256 legs, uint256 total);

    function fold(Vm.Log memory log) internal {
        bytes32 kind = log.topics[0];
        if (kind == IJobEscrow.Deposited.selector) {
            addFree(toAddress(log.topics[1]), int256(abi.decode(log.data, (uint256))));
        } else if (kind == IJobEscrow.Withdrawn.selector) {
            addFree(toAddress(log.topics[1]), -int256(abi.decode(log.data, (uint256))));
        } else if (kind == IJobEscrow.BondStaked.selector) {
            addFree(toAddress(log.topics[2]), int256(abi.decode(log.data, (uint256))));
        } else if (kind == IJobEscrow.BondUnstaked.selector) {
            addFree(toAddress(log.topics[2]), -int256(abi.decode(log.data, (uint256))));
        } else if (kind == IJobEscrow.FeesCollected.selector) {
            addFees(-int256(abi.decode(log.data, (uint256))));
        } else if (kind == IJobEscrow.JobOpened.selector) {
            opened(log.topics[1], abi.decode(log.data, (Opened)));
        } else if (kind == IJobEscrow.JobAttested.selector) {
            attested(log.topics[1], abi.decode(log.data, (Attested)));
        } else if (kind == IJobEscrow.JobProposed.selector) {
            Row storage row = live(log.topics[1], kind);
            (uint64 units,, uint40 deadline) = abi.decode(log.data, (uint64, bytes32, uint40));
            (row.state, row.outcome, row.pending, row.deadline) = (JobState.Pending, Outcome.Claim, units, deadline);
        } else if (kind == IJobEscrow.JobDisputed.selector) {
            Row storage row = live(log.topics[1], kind);
            (row.state, row.deadline) = (JobState.Disputed, abi.decode(log.data, (uint40)));
        } else if (kind == IJobEscrow.JobClosed.selector) {
            closed(log.topics[1], toAddress(log.topics[2]), abi.decode(log.data, (Closed)));
        } else if (kind == IJobEscrow.JobPaid.selector) {
            paid(log.topics[1], toAddress(log.topics[2]), abi.decode(log.data, (Paid)));
        } else if (kind == IJobEscrow.JobCancelled.selector) {
            if (rows[log.topics[1]].state != JobState.None) revert EventCannotFollow(kind, log.topics[1]);
            rows[log.topics[1]].state = JobState.Closed;
        }
    }

    function opened(bytes32 job, Opened memory event_) private {
        if (rows[job].state != JobState.None) revert EventCannotFollow(IJobEscrow.JobOpened.selector, job);
        terms[job] = event_.terms;
        rows[job] = Row(JobState.Open, Outcome.NoFault, 0, 0, event_.terms.end, event_.escrow);
        addFree(event_.terms.payer, amount(event_.fromWallet) - amount(event_.escrow));
        addLocked(event_.terms.payer, amount(event_.escrow));
        addFree(event_.terms.provider, -amount(event_.terms.bond));
        addLocked(event_.terms.provider, amount(event_.terms.bond));
    }

    function attested(bytes32 job, Attested memory event_) private {
        Row storage row = live(job, IJobEscrow.JobAttested.selector);
        // Only a reading raises what is accepted, and it leaves the state alone.
        if (event_.accepted == row.accepted) (row.state, row.outcome) = (JobState.Pending, event_.outcome);
        row.accepted = event_.accepted;
        row.pending = event_.pending;
        row.deadline = event_.deadline;
    }

    function closed(bytes32 job, address caller, Closed memory event_) private {
        Row storage row = live(job, IJobEscrow.JobClosed.selector);
        Terms storage t = terms[job];
        requireTotal(
            job,
            uint256(event_.providerPaid) + event_.fee + event_.refund + event_.verifierPaid + event_.arbiterFromEscrow,
            row.escrow
        );
        requireTotal(
            job,
            uint256(event_.arbiterFromBond) + event_.bondReturned + event_.bondToBuyer + event_.bondToTreasury,
            t.bond
        );
        addLocked(t.payer, -amount(row.escrow));
        addFree(t.payer, amount(event_.refund));
        addLocked(t.provider, -amount(t.bond));
        addFree(t.provider, amount(event_.providerPaid) + amount(event_.bondReturned));
        addFree(t.verifier, amount(event_.verifierPaid));
        addFree(t.arbiter, amount(event_.arbiterFromEscrow) + amount(event_.arbiterFromBond));
        addFree(t.buyer, amount(event_.bondToBuyer));
        addFree(caller, -amount(event_.toWallet));
        addFees(amount(event_.fee) + amount(event_.bondToTreasury));
        rows[job] = Row(JobState.Closed, event_.outcome, event_.units, 0, 0, row.escrow);
    }

    /// @dev A pass that paid at once frees the bond whole.
    function paid(bytes32 job, address caller, Paid memory event_) private {
        Row storage row = live(job, IJobEscrow.JobPaid.selector);
        Terms storage t = terms[job];
        requireTotal(job, uint256(event_.providerPaid) + event_.fee + event_.refund + event_.verifierPaid, row.escrow);
        addLocked(t.payer, -amount(row.escrow));
        addFree(t.payer, amount(event_.refund));
        addLocked(t.provider, -amount(t.bond));
        addFree(t.provider, amount(event_.providerPaid) + amount(t.bond));
        addFree(t.verifier, amount(event_.verifierPaid));
        addFree(caller, -amount(event_.toWallet));
        addFees(amount(event_.fee));
        rows[job] = Row(JobState.Closed, Outcome.Pass, event_.units, 0, 0, row.escrow);
    }

    function addFree(address account, int256 change) private {
        free[account] += change;
        owed += change;
    }

    function addLocked(address account, int256 change) private {
        locked[account] += change;
        owed += change;
    }

    function addFees(int256 change) private {
        fees += change;
        owed += change;
    }

    function requireTotal(bytes32 job, uint256 legs, uint256 total) private pure {
        if (legs != total) revert LegsDoNotAddUp(job, legs, total);
    }

    function live(bytes32 job, bytes32 kind) private view returns (Row storage row) {
        row = rows[job];
        if (row.state == JobState.None || row.state == JobState.Closed) revert EventCannotFollow(kind, job);
    }

    function toAddress(bytes32 topic) private pure returns (address) {
        return address(uint160(uint256(topic)));
    }

    function amount(uint104 value) private pure returns (int256) {
        return int256(uint256(value));
    }
}
