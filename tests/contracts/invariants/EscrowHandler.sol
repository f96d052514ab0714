// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {IProviderRegistry} from "../../../contracts/interfaces/IProviderRegistry.sol";
import {Account} from "../../../contracts/types/Account.sol";
import {Attestation, Verdict} from "../../../contracts/types/Attestation.sol";
import {Job, JobState} from "../../../contracts/types/Job.sol";
import {JobId} from "../../../contracts/types/JobId.sol";
import {Opening} from "../../../contracts/types/Opening.sol";
import {Parameters} from "../../../contracts/types/Parameters.sol";
import {Ruling} from "../../../contracts/types/Ruling.sol";
import {Settlement} from "../../../contracts/types/Settlement.sol";
import {Signatures} from "../../../contracts/types/Signatures.sol";
import {SignedAttestation} from "../../../contracts/types/SignedAttestation.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Test} from "../cheatcodes/Test.sol";
import {Vm} from "../cheatcodes/Vm.sol";
import {ICredit} from "../fixture/Tokens.sol";
import {EventLedger} from "./EventLedger.sol";

/// @notice Every call of the escrow, by parties that may sign anything and try anything, at any time. A call may be refused; it may not
/// panic. Each call's events are folded at once, and what they touched is compared; `requireAll` compares everything.
/// Long on purpose: every call there is, in one place.
contract EscrowHandler is Test, EventLedger {
    uint256 private constant MOST_JOBS = 24;

    IJobEscrow public immutable ESCROW;
    ICredit public immutable CREDIT;

    /// What a job holds while it lives, and whose: places in `people`.
    struct Hold {
        uint256 payer;
        uint256 provider;
        uint256 escrow;
        uint256 bond;
        uint64 maxUnits;
        uint64 acceptedSeen;
        bytes32 closedWord;
    }

    address[] public people;
    mapping(address account => uint256 privateKey) private keyOf;
    mapping(address account => uint256) private placeOf;
    Terms[] private trades;
    JobId[] private ids;
    mapping(bytes32 job => Hold) private holds;

    uint256 private donated;
    mapping(bytes4 selector => uint256) public done;

    error Panicked(bytes4 selector);
    error UnitsBroken(bytes32 job, uint64 accepted, uint64 pending);
    error ChangedAfterClosing(bytes32 job);
    error HeldIsNotOwed(uint256 held, int256 owed, uint256 donated);

    /// @dev People: 0 and 1 buy, 2 sponsors, 3 and 4 provide, 5 verifies, 6 arbitrates, 7 relays.
    constructor(IJobEscrow escrow, ICredit credit, address[] memory people_, uint256[] memory keys) {
        ESCROW = escrow;
        CREDIT = credit;
        people = people_;
        for (uint256 i; i < keys.length; ++i) {
            keyOf[people_[i]] = keys[i];
            placeOf[people_[i]] = i;
        }
    }

    // ---------------------------------------------------------------- bookkeeping around each call

    function send(address sender, bytes memory data) private returns (bool sent) {
        vm.recordLogs();
        vm.prank(sender);
        bytes memory answer;
        (sent, answer) = address(ESCROW).call(data);
        if (sent) {
            ++done[bytes4(data)];
        } else if (bytes4(answer) == bytes4(keccak256("Panic(uint256)")) || answer.length == 0) {
            revert Panicked(bytes4(data));
        }
        // What a refused call had emitted is recorded too, though no chain keeps it.
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; sent && i < logs.length; ++i) {
            if (logs[i].emitter == address(ESCROW)) fold(logs[i]);
        }
        for (uint256 i; sent && i < logs.length; ++i) {
            if (logs[i].emitter != address(ESCROW) || logs[i].topics.length < 2) continue;
            bytes32 job = logs[i].topics[1];
            if (holds[job].maxUnits > 0) observe(job, bytes4(data) == IJobEscrow.agree.selector);
        }
        requireHeldIsOwed();
    }

    /// @dev After each call, of what the call touched.
    function observe(bytes32 job, bool agreed) private {
        Hold storage hold = holds[job];
        Job memory is_ = ESCROW.jobOf(JobId.wrap(job));
        bytes32 word = keccak256(abi.encode(is_));
        if (hold.closedWord != 0) {
            if (hold.closedWord != word) revert ChangedAfterClosing(job);
            return;
        }
        if (is_.accepted > hold.maxUnits || is_.pending > hold.maxUnits) {
            revert UnitsBroken(job, is_.accepted, is_.pending);
        }
        if (is_.accepted < hold.acceptedSeen && !(agreed && is_.state == JobState.Closed)) {
            revert UnitsBroken(job, is_.accepted, is_.pending);
        }
        hold.acceptedSeen = is_.accepted;
        if (is_.state == JobState.Closed) hold.closedWord = word;
    }

    function requireHeldIsOwed() private view {
        uint256 held = CREDIT.balanceOf(address(ESCROW));
        if (int256(held) != owed + int256(donated)) revert HeldIsNotOwed(held, owed, donated);
    }

    /// @notice Invariants 1 to 3 and 6 over every account and every job. What a wrong event or an event too few would leave behind stays,
    /// so it is found whenever this is asked.
    function requireAll() external view {
        uint256[] memory open = new uint256[](people.length);
        for (uint256 i; i < ids.length; ++i) {
            bytes32 key = JobId.unwrap(ids[i]);
            Job memory job = ESCROW.jobOf(ids[i]);
            Row storage row = rows[key];
            vm.assertEq(uint256(row.state), uint256(job.state), "state");
            vm.assertEq(uint256(row.outcome), uint256(job.outcome), "outcome");
            vm.assertEq(uint256(row.accepted), uint256(job.accepted), "accepted");
            vm.assertEq(uint256(row.pending), uint256(job.pending), "pending");
            vm.assertEq(uint256(row.deadline), uint256(job.deadline), "deadline");
            Hold storage hold = holds[key];
            if (job.state == JobState.Closed) {
                vm.assertEq(hold.closedWord, keccak256(abi.encode(job)), "a closed job changed");
            } else if (job.state != JobState.None) {
                open[hold.payer] += hold.escrow;
                open[hold.provider] += hold.bond;
            }
        }
        uint256 total = ESCROW.fees();
        vm.assertEq(fees, int256(total), "fees");
        for (uint256 i; i < people.length; ++i) {
            Account memory account = ESCROW.accountOf(people[i]);
            vm.assertEq(free[people[i]], int256(uint256(account.free)), "free");
            vm.assertEq(locked[people[i]], int256(uint256(account.locked)), "locked");
            vm.assertEq(uint256(account.locked), open[i], "what is locked is what is open");
            total += uint256(account.free) + account.locked;
        }
        vm.assertEq(CREDIT.balanceOf(address(ESCROW)), total + donated, "tokens held are owed");
    }

    function sign(address signer, bytes32 digest) private view returns (bytes memory) {
        if (keyOf[signer] == 0) return "";
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keyOf[signer], digest);
        return abi.encodePacked(r, s, v);
    }

    function person(uint256 seed) private view returns (address) {
        return people[seed % people.length];
    }

    uint256 private constant OPEN = 1 << uint256(JobState.Open);
    uint256 private constant PENDING = 1 << uint256(JobState.Pending);
    uint256 private constant DISPUTED = 1 << uint256(JobState.Disputed);

    /// @dev Mostly a job in one of these states, where there is one: else nearly every call would be refused for its state.
    function pick(uint256 seed, uint256 states) private view returns (bool any, Terms memory t, JobId id) {
        uint256 count = trades.length;
        if (count == 0) return (false, t, id);
        uint256 at = seed % count;
        for (uint256 i; i < count && seed % 8 != 0; ++i) {
            uint256 next = (at + i) % count;
            if ((1 << uint256(rows[JobId.unwrap(ids[next])].state)) & states == 0) continue;
            at = next;
            break;
        }
        return (true, trades[at], ids[at]);
    }

    /// @dev Mostly past the job's deadline; sometimes at it, or not moved at all.
    function passDeadline(JobId id, uint256 seed) private {
        uint256 deadline = rows[JobId.unwrap(id)].deadline;
        if (seed % 8 == 0) return;
        uint256 next = seed % 8 == 1 ? deadline : deadline + 1;
        if (next > block.timestamp) vm.warp(next);
    }

    // ---------------------------------------------------------------- money

    function deposit(uint256 who, uint256 forWhom, uint104 amount) public {
        address sender = person(who);
        uint256 balance = CREDIT.balanceOf(sender);
        send(sender, abi.encodeCall(IJobEscrow.deposit, (person(forWhom), uint104(bound(amount, 0, balance)))));
    }

    function withdraw(uint256 who, uint256 toWhom, uint104 amount) private {
        address sender = person(who);
        uint256 most = uint256(ESCROW.accountOf(sender).free) / 4;
        if (amount % 8 == 0) most = type(uint104).max;
        send(sender, abi.encodeCall(IJobEscrow.withdraw, (person(toWhom), uint104(bound(amount, 0, most)))));
    }

    function donate(uint256 who, uint256 amount) private {
        address sender = person(who);
        amount = bound(amount, 0, CREDIT.balanceOf(sender) / 100);
        vm.prank(sender);
        CREDIT.transfer(address(ESCROW), amount);
        donated += amount;
    }

    /// @dev Mostly a provider's: nobody else is in the registry.
    function stakeReward(uint256 who, uint104 amount) private {
        address sender = who % 8 == 0 ? person(who / 8) : people[3 + who % 2];
        uint256 most = uint256(ESCROW.accountOf(sender).free) / 4;
        send(sender, abi.encodeCall(IJobEscrow.stakeReward, (uint104(bound(amount, 0, most)))));
    }

    function claimReward(uint256 who) private {
        vm.prank(people[3 + who % 2]);
        (bool claimed, bytes memory answer) = ESCROW.registry().call(abi.encodeCall(IProviderRegistry.claimReward, ()));
        if (claimed) ++done[IProviderRegistry.claimReward.selector];
        else if (bytes4(answer) != IProviderRegistry.NotRegistered.selector) revert Panicked(bytes4(answer));
    }

    /// @notice What is not about one job, as one kind of call, so that most calls are about jobs.
    function keepHouse(uint256 kind, uint256 who, uint256 whom, uint104 amount) external {
        kind %= 8;
        if (kind == 0) deposit(who, whom, amount);
        else if (kind == 1) withdraw(who, whom, amount);
        else if (kind == 2) donate(who, amount);
        else if (kind == 3) send(person(who), abi.encodeCall(IJobEscrow.collectFees, ()));
        else if (kind == 4) setParameters(uint16(who), uint16(whom));
        else if (kind == 5) stakeReward(who, amount);
        else if (kind == 6) claimReward(who);
        else pauseForOneCall(who);
    }

    // ---------------------------------------------------------------- time and parameters

    function wait(uint32 time) external {
        vm.warp(block.timestamp + bound(time, 0, 1 hours));
    }

    function setParameters(uint16 feeBps, uint16 bondBps) private {
        Parameters memory p = ESCROW.parameters();
        p.feeBps[0] = uint16(bound(feeBps, 0, 500));
        p.bondBps[0] = uint16(bound(bondBps, 0, 5_000));
        p.maxLocked[0] = feeBps % 2 == 0 ? 0 : uint24(bound(bondBps, 1, 100));
        send(ESCROW.owner(), abi.encodeCall(IJobEscrow.setParameters, (p)));
    }

    function pauseForOneCall(uint256 which) private {
        address guardian = ESCROW.parameters().guardian;
        send(guardian, abi.encodeCall(IJobEscrow.pause, ()));
        (bool any, Terms memory t, JobId id) = pick(which, 1);
        if (any) sendOpen(t, id, false);
        send(guardian, abi.encodeCall(IJobEscrow.unpause, ()));
    }

    // ---------------------------------------------------------------- open

    struct Seeds {
        uint8 roles;
        uint104 unitPrice;
        uint64 minUnits;
        uint64 maxUnits;
        uint104 bond;
        uint104 verifierFee;
        uint104 arbiterFee;
        uint32 duration;
        uint32 passWindow;
        uint32 disputeWindow;
        uint32 rulingWindow;
    }

    /// @notice New terms, which open from a balance or from a wallet, or stay unopened.
    function trade(Seeds memory seeds, uint256 way) external {
        if (trades.length >= MOST_JOBS) return;
        Terms memory t = termsOf(seeds);
        JobId id = ESCROW.jobIdOf(t);
        trades.push(t);
        ids.push(id);
        uint256 escrow = uint256(t.unitPrice) * t.maxUnits + t.verifierFee + t.arbiterFee;
        holds[JobId.unwrap(id)] = Hold(placeOf[t.payer], placeOf[t.provider], escrow, t.bond, t.maxUnits, 0, bytes32(0));
        if (way % 8 != 0) sendOpen(t, id, way % 2 == 0);
    }

    function termsOf(Seeds memory seeds) private view returns (Terms memory t) {
        uint256 roles = seeds.roles;
        t.buyer = people[roles % 2];
        t.payer = roles & 2 == 0 ? t.buyer : people[2];
        t.provider = people[3 + (roles >> 2) % 2];
        uint256 judge = (roles >> 3) % 4;
        t.verifier = judge == 0 ? t.buyer : judge == 1 ? t.payer : people[5];
        t.arbiter = (roles >> 5) % 4 == 0 ? address(0) : people[6];
        t.maxUnits = uint64(bound(seeds.maxUnits, 1, 1_000));
        t.minUnits = uint64(bound(seeds.minUnits, 0, t.maxUnits / 4));
        t.unitPrice = uint104(bound(seeds.unitPrice, 0, 1e16));
        t.verifierFee = uint104(bound(seeds.verifierFee, 0, 1e17));
        t.arbiterFee = t.arbiter == address(0) ? 0 : uint104(bound(seeds.arbiterFee, 0, 1e17));
        uint256 least = uint256(t.unitPrice) * t.maxUnits / 2;
        if (least < t.arbiterFee) least = t.arbiterFee;
        t.bond = uint104(bound(seeds.bond, least, least + 5e18));
        t.openBy = uint40(block.timestamp + 1 hours);
        t.end = uint40(t.openBy + bound(seeds.duration, 1, 6 hours));
        t.passWindow = (roles >> 7) == 0 ? 0 : uint32(bound(seeds.passWindow, 1, 2 hours));
        t.disputeWindow = uint32(bound(seeds.disputeWindow, 1 hours, 4 hours));
        t.rulingWindow = uint32(bound(seeds.rulingWindow, 0, 4 hours));
        t.maxFeeBps = 500;
        t.nonce = uint48(trades.length + 1);
    }

    function sendOpen(Terms memory t, JobId id, bool fromWallet) private {
        Signatures memory all = signaturesOf(t, id);
        send(
            people[7],
            fromWallet ? abi.encodeCall(IJobEscrow.openFromWallet, (t, all)) : abi.encodeCall(IJobEscrow.open, (t, all))
        );
    }

    function signaturesOf(Terms memory t, JobId id) private view returns (Signatures memory) {
        bytes32 digest = JobId.unwrap(id);
        // Where the payer is the buyer, one signature serves for both.
        bytes memory byPayer = t.payer == t.buyer ? bytes("") : sign(t.payer, digest);
        return Signatures(sign(t.buyer, digest), byPayer, sign(t.provider, digest));
    }

    /// @notice Some jobs in one batch, unopened or not, one of them perhaps twice.
    function openMany(uint256 which, uint256 count) external {
        count = bound(count, 0, 4);
        Opening[] memory items = new Opening[](count);
        for (uint256 i; i < count; ++i) {
            (bool any, Terms memory t, JobId id) = pick(which % 1_000 + i, 1);
            if (!any) return;
            items[i] = Opening(t, signaturesOf(t, id));
        }
        if (which % 2 == 0) {
            send(people[7], abi.encodeCall(IJobEscrow.openMany, (items)));
            return;
        }
        address sender = person(which / 2);
        uint256 balance = CREDIT.balanceOf(sender);
        send(sender, abi.encodeCall(IJobEscrow.openManyFromWallet, (uint104(balance / 4), items)));
    }

    /// @notice From the reserve of a wallet that has allowed it, or has none.
    function openFromReserve(uint256 which) external {
        (bool any, Terms memory t, JobId id) = pick(which, 1);
        if (!any) return;
        send(people[7], abi.encodeCall(IJobEscrow.openFromReserve, (t, signaturesOf(t, id), 0, 0, 0, 0)));
    }

    function openLate(uint256 which) external {
        (bool any, Terms memory t, JobId id) = pick(which, 1);
        if (any) sendOpen(t, id, which % 2 == 0);
    }

    function cancel(uint256 which, uint256 who) external {
        (bool any, Terms memory t,) = pick(which, 1);
        if (any) send(person(who), abi.encodeCall(IJobEscrow.cancel, (t)));
    }

    // ---------------------------------------------------------------- the way through

    function attest(uint256 which, uint256 who, uint8 verdict, uint64 units, bool isFinal, bool toWallet) external {
        (bool any, Terms memory t, JobId id) = pick(which, OPEN | PENDING | DISPUTED);
        if (!any) return;
        SignedAttestation memory item = attestationOf(t, id, verdict, units, isFinal);
        address sender = who % 2 == 0 ? t.provider : person(who / 2);
        send(
            sender,
            toWallet
                ? abi.encodeCall(IJobEscrow.attestToWallet, (t, item.attestation, item.signature))
                : abi.encodeCall(IJobEscrow.attest, (t, item.attestation, item.signature))
        );
    }

    function attestationOf(Terms memory t, JobId id, uint8 verdict, uint64 units, bool isFinal)
        private
        view
        returns (SignedAttestation memory)
    {
        Attestation memory a;
        a.job = id;
        a.verdict = Verdict(verdict % 3);
        a.units = uint64(bound(units, 0, t.maxUnits));
        a.isFinal = isFinal;
        a.qualityBps = uint16(bound(units, 0, 10_000));
        return SignedAttestation(t, a, sign(t.verifier, ESCROW.attestationDigest(a)));
    }

    /// @notice Attestations of some jobs in one batch, of the same one perhaps several.
    function attestMany(uint256 which, uint256 who, uint256 count, uint256 seed) external {
        count = bound(count, 0, 4);
        SignedAttestation[] memory items = new SignedAttestation[](count);
        for (uint256 i; i < count; ++i) {
            (bool any, Terms memory t, JobId id) = pick(which % 1_000 + (seed >> i) % 2, OPEN | PENDING | DISPUTED);
            if (!any) return;
            items[i] =
                attestationOf(t, id, uint8(seed >> (8 * i)), uint64(seed >> (16 * i)), (seed >> (40 + i)) % 2 == 0);
        }
        send(person(who), abi.encodeCall(IJobEscrow.attestMany, (items)));
    }

    function propose(uint256 which, uint64 units) external {
        (bool any, Terms memory t, JobId id) = pick(which, OPEN);
        if (!any) return;
        uint64 accepted = rows[JobId.unwrap(id)].accepted;
        units = uint64(bound(units, units % 4 == 0 ? accepted : 0, units % 4 == 0 ? accepted : t.maxUnits));
        send(t.provider, abi.encodeCall(IJobEscrow.propose, (t, units, bytes32(0))));
    }

    function dispute(uint256 which, uint256 who) external {
        (bool any, Terms memory t,) = pick(which, PENDING);
        if (!any) return;
        address[3] memory parties = [t.buyer, t.payer, t.provider];
        send(parties[who % 3], abi.encodeCall(IJobEscrow.dispute, (t)));
    }

    function rule(uint256 which, uint64 units, uint16 slashBps, uint16 costBps) external {
        (bool any, Terms memory t, JobId id) = pick(which, DISPUTED);
        if (!any) return;
        Ruling memory r = Ruling(
            id,
            uint64(bound(units, 0, t.maxUnits)),
            uint16(bound(slashBps, 0, 10_000)),
            uint16(bound(costBps, 0, 10_000))
        );
        send(people[7], abi.encodeCall(IJobEscrow.rule, (t, r, sign(t.arbiter, ESCROW.rulingDigest(r)))));
    }

    function agree(uint256 which, uint64 units, bool withPayer) external {
        (bool any, Terms memory t, JobId id) = pick(which, OPEN | PENDING | DISPUTED);
        if (!any || which % 4 != 1) return; // else agreements end most jobs before anything else can
        Settlement memory s = Settlement(id, uint64(bound(units, 0, t.maxUnits)), uint40(block.timestamp));
        bytes32 digest = ESCROW.settlementDigest(s);
        bytes memory byPayer = withPayer ? sign(t.payer, digest) : bytes("");
        send(
            people[7],
            abi.encodeCall(
                IJobEscrow.agree, (t, s, Signatures(sign(t.buyer, digest), byPayer, sign(t.provider, digest)))
            )
        );
    }

    function finalize(uint256 which, uint256 who, bool toWallet) external {
        (bool any, Terms memory t, JobId id) = pick(which, PENDING | DISPUTED);
        if (!any) return;
        passDeadline(id, who);
        send(
            person(who),
            toWallet ? abi.encodeCall(IJobEscrow.finalizeToWallet, (t)) : abi.encodeCall(IJobEscrow.finalize, (t))
        );
    }

    function reclaim(uint256 which, uint256 who, bool toWallet) external {
        (bool any, Terms memory t, JobId id) = pick(which, OPEN);
        if (!any) return;
        passDeadline(id, who);
        send(
            person(who),
            toWallet ? abi.encodeCall(IJobEscrow.reclaimToWallet, (t)) : abi.encodeCall(IJobEscrow.reclaim, (t))
        );
    }

    /// @notice What jobs say that they hold of the registry's stakes.
    function stakedBehindJobs() external view returns (uint256 staked) {
        for (uint256 i; i < ids.length; ++i) {
            staked += ESCROW.stakedOf(ids[i]);
        }
    }

    // ---------------------------------------------------------------- the end

    /// @notice A stranger ends every job after its deadline; then everybody takes what is theirs.
    function endEverything() external {
        for (uint256 i; i < trades.length; ++i) {
            Job memory job = ESCROW.jobOf(ids[i]);
            if (job.state == JobState.None || job.state == JobState.Closed) continue;
            if (block.timestamp <= job.deadline) vm.warp(uint256(job.deadline) + 1);
            if (job.state == JobState.Open) send(people[7], abi.encodeCall(IJobEscrow.reclaim, (trades[i])));
            else send(people[7], abi.encodeCall(IJobEscrow.finalize, (trades[i])));
        }
        for (uint256 i; i < people.length; ++i) {
            uint104 free = ESCROW.accountOf(people[i]).free;
            send(people[i], abi.encodeCall(IJobEscrow.withdraw, (people[i], free)));
        }
        send(people[7], abi.encodeCall(IJobEscrow.collectFees, ()));
        vm.assertEq(CREDIT.balanceOf(address(ESCROW)), donated, "tokens are stuck");
        for (uint256 i; i < ids.length; ++i) {
            JobState state = ESCROW.jobOf(ids[i]).state;
            vm.assertTrue(state == JobState.Closed || state == JobState.None, "a job is stuck");
        }
    }
}
