// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {IVerifierCommittee} from "../../../contracts/interfaces/IVerifierCommittee.sol";
import {Attestation, Verdict} from "../../../contracts/types/Attestation.sol";
import {Job, JobState} from "../../../contracts/types/Job.sol";
import {JobId} from "../../../contracts/types/JobId.sol";
import {Ruling} from "../../../contracts/types/Ruling.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Committee} from "../fixture/Committee.sol";

/// @notice Every call of a committee, by members that sign anything about jobs that end in every way. A call may be refused; it may not panic.
contract CommitteeHandler is Committee {
    uint256 private constant MOST_JOBS = 16;

    IVerifierCommittee public committee;
    address[] public people_;
    Terms[] private jobs;
    mapping(uint256 job => Attestation) private said;

    /// Stakes that members brought, less what was released and slashed.
    uint256 public staked;
    mapping(bytes4 selector => uint256) public done;

    error Panicked(bytes4 selector);

    constructor() {
        super.setUp();
        people_ = people(5);
        committee = deployCommittee(2, 3, people_);
        for (uint256 i; i < people_.length; ++i) {
            fund(people_[i], 10 * uint256(MEMBER_STAKE));
            vm.prank(people_[i]);
            credit.approve(address(committee), type(uint256).max);
        }
        endow(buyer, 10_000e18);
        endow(provider, 10_000e18);
        for (uint256 i; i < 3; ++i) {
            join(i);
            vm.warp(block.timestamp + ROTATION_DELAY);
            rotate(i);
        }
    }

    function tell(address sender, bytes memory data) private returns (bool sent) {
        uint256 before = credit.balanceOf(address(committee));
        vm.prank(sender);
        bytes memory answer;
        (sent, answer) = address(committee).call(data);
        if (sent) {
            ++done[bytes4(data)];
        } else if (bytes4(answer) == bytes4(keccak256("Panic(uint256)")) || answer.length == 0) {
            revert Panicked(bytes4(data));
        }
        staked = staked + credit.balanceOf(address(committee)) - before;
    }

    function member(uint256 who) private view returns (address) {
        return people_[who % people_.length];
    }

    // ---------------------------------------------------------------- members

    function join(uint256 who) public {
        if (!committee.memberOf(member(who)).named) {
            tell(address(timelock), abi.encodeCall(IVerifierCommittee.name, (member(who))));
        }
        tell(member(who), abi.encodeCall(IVerifierCommittee.join, ()));
    }

    function rotate(uint256 who) public {
        tell(relayer, abi.encodeCall(IVerifierCommittee.rotate, (member(who))));
    }

    /// @notice Rarely, so that somebody serves.
    function goAway(uint256 who, uint256 how) external {
        if (how % 3 == 0) tell(member(who), abi.encodeCall(IVerifierCommittee.leave, ()));
        if (how % 9 == 1) tell(address(timelock), abi.encodeCall(IVerifierCommittee.dismiss, (member(who))));
        if (how % 3 == 2) tell(member(who), abi.encodeCall(IVerifierCommittee.release, ()));
    }

    function wait(uint32 time, uint16 blocks) external {
        vm.warp(block.timestamp + bound(time, 1, 2 days));
        vm.roll(block.number + bound(blocks, 1, 300));
    }

    // ---------------------------------------------------------------- jobs

    function trade(uint104 fee, bool contestable) external {
        if (jobs.length >= MOST_JOBS) return;
        Terms memory t = usualTerms();
        t.verifier = address(committee);
        t.verifierFee = uint104(bound(fee, 0, 1e18));
        if (contestable) t.passWindow = 1 hours;
        t.openBy = uint40(block.timestamp + 1 hours);
        t.end = uint40(block.timestamp + 3 days);
        t.nonce = uint48(jobs.length + 1);
        open(t);
        jobs.push(t);
        vm.roll(block.number + 1);
        if (fee % 2 == 0) committee.recordBlock(block.number - 1);
    }

    /// @notice What two or three of the panel, or of all, sign.
    function attest(uint256 which, uint8 verdict, uint64 units, uint256 who, bool readOnly) external {
        if (jobs.length == 0) return;
        which %= jobs.length;
        Terms memory t = jobs[which];
        Attestation memory a =
            statement(t, Verdict(bound(verdict, 0, 2)), uint64(bound(units, 1, t.maxUnits)), !readOnly);
        address[] memory panel = committee.panelOf(a.job);
        if (panel.length < 2) return;
        bytes memory signature = bytes.concat(abi.encode(a), signedBy(panel, who, escrow.attestationDigest(a)));
        vm.prank(relayer);
        (bool sent,) = address(escrow).call(abi.encodeCall(IJobEscrow.attest, (t, a, signature)));
        if (sent) said[which] = a;
    }

    function end(uint256 which, uint64 units, uint16 slashBps) external {
        if (jobs.length == 0) return;
        Terms memory t = jobs[which % jobs.length];
        JobId id = escrow.jobIdOf(t);
        JobState state = escrow.jobOf(id).state;
        if (state == JobState.Pending && slashBps % 3 > 0) {
            vm.prank(buyer);
            (bool disputed,) = address(escrow).call(abi.encodeCall(IJobEscrow.dispute, (t)));
            if (!disputed) return;
            Ruling memory r = Ruling(id, uint64(bound(units, 0, t.maxUnits)), uint16(bound(slashBps, 0, 10_000)), 0);
            if (slashBps % 5 == 0) r.slashBps = 0;
            rule(t, r);
        } else if (state == JobState.Open || state == JobState.Pending) {
            uint256 deadline = escrow.jobOf(id).deadline;
            if (block.timestamp <= deadline) vm.warp(deadline + 1);
            if (state == JobState.Open) reclaim(t);
            else finalize(t);
        }
    }

    // ---------------------------------------------------------------- fees and proofs

    function claim(uint256 which, uint256 who) external {
        if (jobs.length == 0) return;
        which %= jobs.length;
        Attestation memory a = said[which];
        bytes memory signatures = signedBy(people_, who, escrow.attestationDigest(a));
        address[] memory panel = committee.panelOf(escrow.jobIdOf(jobs[which]));
        if (who % 4 != 0 && panel.length > 1) signatures = signedBy(panel, who, escrow.attestationDigest(a));
        tell(relayer, abi.encodeCall(IVerifierCommittee.claim, (jobs[which], a, signatures)));
    }

    function withdrawFees(uint256 which, uint256 who) external {
        if (jobs.length == 0) return;
        JobId[] memory ids = new JobId[](1);
        ids[0] = escrow.jobIdOf(jobs[which % jobs.length]);
        tell(member(who), abi.encodeCall(IVerifierCommittee.withdrawFees, (ids, member(who))));
    }

    function slash(uint256 which, uint256 who) external {
        if (jobs.length == 0) return;
        which %= jobs.length;
        Attestation memory a = said[which];
        bytes memory signature = sign(member(who), escrow.attestationDigest(a));
        tell(relayer, abi.encodeCall(IVerifierCommittee.slash, (jobs[which], a, signature)));
    }

    /// @dev Two of `signers`, or all of them, in ascending order.
    function signedBy(address[] memory signers, uint256 who, bytes32 digest) private view returns (bytes memory) {
        for (uint256 i; i < signers.length; ++i) {
            for (uint256 j = i; j > 0 && signers[j - 1] > signers[j]; --j) {
                (signers[j - 1], signers[j]) = (signers[j], signers[j - 1]);
            }
        }
        if (who % 2 == 0) return votes(signers, 0, signers.length, digest);
        uint256 first = (who / 2) % (signers.length - 1);
        return votes(signers, first, first + 2, digest);
    }

    // ---------------------------------------------------------------- what invariants ask

    function stakesOwed() external view returns (uint256 owed) {
        for (uint256 i; i < people_.length; ++i) {
            owed += committee.memberOf(people_[i]).stake;
        }
    }

    function sharesOwed() external view returns (uint256 owed) {
        for (uint256 i; i < jobs.length; ++i) {
            IVerifierCommittee.Claim memory c = committee.claimOf(escrow.jobIdOf(jobs[i]));
            for (uint256 seat; seat < 32; ++seat) {
                if ((c.unpaid >> seat) & 1 == 1) owed += c.fee / c.sharers;
            }
        }
    }

    /// @notice Fees of closed jobs that paid their verifier and that nobody claimed.
    function unclaimed() external view returns (uint256 fees_) {
        for (uint256 i; i < jobs.length; ++i) {
            JobId id = escrow.jobIdOf(jobs[i]);
            Job memory job = escrow.jobOf(id);
            if (job.state == JobState.Closed && job.verifierPaid && committee.claimOf(id).closesAt == 0) {
                fees_ += jobs[i].verifierFee;
            }
        }
    }

    function freeInEscrow() external view returns (uint256) {
        return escrow.accountOf(address(committee)).free;
    }

    function wallet() external view returns (uint256) {
        return credit.balanceOf(address(committee));
    }

    /// @notice A seat is held by one who serves, and by nobody else.
    function seatsAreServed() external view returns (bool) {
        address[] memory serving = committee.members();
        uint256 count;
        for (uint256 i; i < people_.length; ++i) {
            if (committee.isMember(people_[i])) ++count;
        }
        for (uint256 i; i < serving.length; ++i) {
            if (!committee.isMember(serving[i]) || committee.memberOf(serving[i]).stake != MEMBER_STAKE) return false;
        }
        return count == serving.length;
    }
}
