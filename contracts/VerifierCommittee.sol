// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";

import {IJobEscrow} from "./interfaces/IJobEscrow.sol";
import {IVerifierCommittee} from "./interfaces/IVerifierCommittee.sol";
import {SeatSet} from "./libraries/SeatSet.sol";
import {StructHash} from "./libraries/StructHash.sol";
import {Attestation, Verdict} from "./types/Attestation.sol";
import {ClosedBy, Job, JobState, Outcome} from "./types/Job.sol";
import {JobId} from "./types/JobId.sol";
import {Terms} from "./types/Terms.sol";

contract VerifierCommittee is IVerifierCommittee, Multicall {
    using SafeERC20 for IERC20;
    using SeatSet for uint256;
    using StructHash for Attestation;

    /// @dev Who serves jobs opened in `fromBlock` or later, up to the next roster.
    struct Roster {
        uint40 fromBlock;
        uint32 seats;
        uint8 count;
        /// How many rosters there were before.
        uint32 index;
    }

    uint256 private constant SIGNATURE_SIZE = 65;
    uint256 private constant ATTESTATION_SIZE = 8 * 32;
    uint256 private constant BLOCKS_IN_REACH = 256;
    /// Of `jobOf`: its answer's words, and where in it `openedIn` stands.
    uint256 private constant ANSWER_SIZE = 11 * 32;
    uint256 private constant OPENED_IN_AT = 7 * 32;
    bytes4 private constant NOT_VALID = 0xffffffff;
    uint256 private constant FULL_BPS = 10_000;

    /// @inheritdoc IVerifierCommittee
    uint256 public constant MAX_MEMBERS = 32;
    /// @inheritdoc IVerifierCommittee
    uint256 public constant BOUNTY_BPS = 1_000;
    /// @inheritdoc IVerifierCommittee
    address public immutable credit;
    /// @inheritdoc IVerifierCommittee
    address public immutable escrow;
    /// @inheritdoc IVerifierCommittee
    address public immutable owner;
    /// @inheritdoc IVerifierCommittee
    uint256 public immutable threshold;
    /// @inheritdoc IVerifierCommittee
    uint104 public immutable stakePerMember;
    uint256 private immutable _panelSize;
    uint32 private immutable _rotationDelay;
    uint32 private immutable _unbonding;
    uint32 private immutable _claimWindow;
    address private immutable _arbiter;
    bytes32 private immutable _domainSeparator;

    Roster private _roster;
    mapping(uint256 index => Roster) private _earlierRosters;
    mapping(address account => Member) private _members;
    address[MAX_MEMBERS] private _seated;
    mapping(uint256 number => bytes32) private _blockHashes;
    mapping(JobId job => Claim) private _claims;

    constructor(address escrow_, address owner_, Rules memory rules_, address[] memory named) {
        if (escrow_ == address(0) || owner_ == address(0)) revert ZeroAddress();
        if (rules_.panelSize == 0 || rules_.panelSize > MAX_MEMBERS) {
            revert PanelOutOfRange(rules_.panelSize, 1, MAX_MEMBERS);
        }
        if (rules_.threshold == 0 || rules_.threshold > rules_.panelSize) {
            revert ThresholdOutOfRange(rules_.threshold, 1, rules_.panelSize);
        }
        escrow = escrow_;
        credit = IJobEscrow(escrow_).credit();
        owner = owner_;
        threshold = rules_.threshold;
        stakePerMember = rules_.stake;
        _panelSize = rules_.panelSize;
        _rotationDelay = rules_.rotationDelay;
        _unbonding = rules_.unbonding;
        _claimWindow = rules_.claimWindow;
        _arbiter = rules_.arbiter;
        (, string memory name_, string memory version, uint256 chainId, address verifying,,) =
            IERC5267(escrow_).eip712Domain();
        _domainSeparator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256(bytes(name_)),
                keccak256(bytes(version)),
                chainId,
                verifying
            )
        );
        for (uint256 i; i < named.length; ++i) {
            _name(named[i]);
        }
    }

    // ---------------------------------------------------------------- signatures

    /// @inheritdoc IERC1271
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        if (signature.length < ATTESTATION_SIZE + threshold * SIGNATURE_SIZE) return NOT_VALID;
        Attestation calldata attestation;
        assembly ("memory-safe") {
            attestation := signature.offset
        }
        // Only an attestation can have this digest, so the committee signs nothing else.
        if (_digestOf(attestation) != hash) return NOT_VALID;
        JobId id = attestation.job;
        uint256 openedIn = _openedIn(id);
        (, uint256 count) = _signersOf(hash, _panel(id, openedIn), openedIn, signature[ATTESTATION_SIZE:], true);
        return count >= threshold ? IERC1271.isValidSignature.selector : NOT_VALID;
    }

    /// @dev One word of what `jobOf` answers: decoding the others costs as much as the call.
    function _openedIn(JobId id) private view returns (uint256 openedIn) {
        bytes memory question = abi.encodeCall(IJobEscrow.jobOf, (id));
        address asked = escrow;
        assembly ("memory-safe") {
            let answer := mload(0x40)
            let answered := staticcall(gas(), asked, add(question, 0x20), mload(question), answer, ANSWER_SIZE)
            if and(answered, gt(returndatasize(), OPENED_IN_AT)) {
                openedIn := mload(add(answer, OPENED_IN_AT))
            }
        }
    }

    function _digestOf(Attestation calldata attestation) private view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", _domainSeparator, attestation.hash()));
    }

    /// @dev Seats of those who signed, and how many; none if one signature is not of the panel, or out of order.
    /// @param inService Whether a member has to serve still.
    function _signersOf(bytes32 digest, uint256 panel, uint256 openedIn, bytes calldata packed, bool inService)
        private
        view
        returns (uint256 seats, uint256 count)
    {
        count = packed.length / SIGNATURE_SIZE;
        if (count * SIGNATURE_SIZE != packed.length || count > MAX_MEMBERS) return (0, 0);
        address last = address(0);
        for (uint256 i; i < count; ++i) {
            address signer = _signerAt(digest, packed, i);
            // Ascending addresses: nobody counts twice, and the zero address of a bad signature never counts.
            if (signer <= last) return (0, 0);
            last = signer;
            Member memory member = _members[signer];
            bool counts = member.fromBlock != 0 && member.fromBlock <= openedIn && panel.has(member.seat);
            if (!counts || (inService && !_serves(member.duty))) return (0, 0);
            seats |= 1 << member.seat;
        }
    }

    /// @dev Whose signature is the `index`th of them; zero if nobody's. `packed` has to reach that far.
    function _signerAt(bytes32 digest, bytes calldata packed, uint256 index) private pure returns (address signer) {
        bytes32 r;
        bytes32 s;
        uint8 v;
        assembly ("memory-safe") {
            let at := add(packed.offset, mul(index, SIGNATURE_SIZE))
            r := calldataload(at)
            s := calldataload(add(at, 0x20))
            v := byte(0, calldataload(add(at, 0x40)))
        }
        (signer,,) = ECDSA.tryRecover(digest, v, r, s);
    }

    function _serves(Duty duty) private pure returns (bool) {
        return duty == Duty.Serving || duty == Duty.Leaving;
    }

    // ---------------------------------------------------------------- panels

    /// @inheritdoc IVerifierCommittee
    function recordBlock(uint256 number) external {
        bytes32 hash = blockhash(number);
        if (hash == 0) {
            uint256 lowest = block.number > BLOCKS_IN_REACH ? block.number - BLOCKS_IN_REACH : 0;
            revert BlockNotInReach(number, lowest, block.number - 1);
        }
        _blockHashes[number] = hash;
        emit BlockRecorded(number, hash);
    }

    /// @inheritdoc IVerifierCommittee
    function recordedBlock(uint256 number) external view returns (bytes32) {
        return _blockHashes[number];
    }

    /// @inheritdoc IVerifierCommittee
    function panelOf(JobId job) external view returns (address[] memory panel) {
        uint256 openedIn = _openedIn(job);
        return _accountsIn(_panel(job, openedIn), openedIn);
    }

    /// @dev The seats of a job's panel.
    function _panel(JobId job, uint256 openedIn) private view returns (uint256) {
        Roster memory roster = _roster;
        while (roster.fromBlock > openedIn && roster.index != 0) {
            roster = _earlierRosters[roster.index - 1];
        }
        if (openedIn == 0 || roster.fromBlock > openedIn) return 0;
        if (roster.count <= _panelSize) return roster.seats;
        // A contract could open a job and, in one transaction, undo the opening for a panel that it dislikes: so nothing of the block of the
        // opening decides but its hash, which exists only afterwards.
        if (block.number <= openedIn) return 0;
        bytes32 hash = blockhash(openedIn);
        if (hash == 0) hash = _blockHashes[openedIn];
        if (hash == 0) return roster.seats;
        return uint256(roster.seats).draw(roster.count, _panelSize, keccak256(abi.encode(hash, job)));
    }

    function _accountsIn(uint256 seats, uint256 openedIn) private view returns (address[] memory accounts) {
        accounts = new address[](seats.count());
        uint256 filled;
        for (uint256 seat; seats >> seat != 0; ++seat) {
            address account = _seated[seat];
            // The seat of one who left may be another's by now.
            if (seats.has(seat) && _members[account].fromBlock <= openedIn) accounts[filled++] = account;
        }
        assembly ("memory-safe") {
            mstore(accounts, filled)
        }
    }

    // ---------------------------------------------------------------- fees

    /// @inheritdoc IVerifierCommittee
    function claim(Terms calldata terms, Attestation calldata attestation, bytes calldata signatures) external {
        (JobId id, Job memory job) = _ourJob(terms, attestation);
        if (job.state != JobState.Closed || !job.verifierPaid) revert NothingEarned(id);
        if (!_earned(job, attestation)) revert NotTheAttestation(id);
        bytes32 digest = _digestOf(attestation);
        (uint256 seats, uint256 count) = _signersOf(digest, _panel(id, job.openedIn), job.openedIn, signatures, false);
        if (count < threshold) revert TooFewSignatures(count, threshold);

        Claim memory sharing = _claims[id];
        if (sharing.closesAt == 0) {
            sharing.fee = terms.verifierFee;
            sharing.closesAt = uint40(block.timestamp + _claimWindow);
            sharing.attestation = uint48(uint256(digest));
        } else {
            if (block.timestamp > sharing.closesAt) revert TooLate(block.timestamp, sharing.closesAt);
            if (sharing.attestation != uint48(uint256(digest))) revert NotTheAttestation(id);
        }
        sharing.unpaid |= uint32(seats);
        sharing.sharers = uint8(uint256(sharing.unpaid).count());
        _claims[id] = sharing;
        emit FeeClaimed(id, sharing.fee, sharing.sharers, sharing.closesAt);
    }

    /// @dev Whether this is a statement for which the escrow pays the verifier of a job that ended so.
    function _earned(Job memory job, Attestation calldata attestation) private pure returns (bool) {
        if (job.outcome == Outcome.Fail) {
            return attestation.verdict == Verdict.Fail && attestation.qualityBps == job.qualityBps;
        }
        if (job.outcome == Outcome.Pass) {
            return
                attestation.verdict == Verdict.Pass && attestation.isFinal && attestation.qualityBps == job.qualityBps;
        }
        return attestation.verdict == Verdict.Pass && !attestation.isFinal;
    }

    /// @inheritdoc IVerifierCommittee
    function withdrawFees(JobId[] calldata jobs, address to) external {
        if (to == address(0)) revert ZeroAddress();
        Member memory member = _members[msg.sender];
        uint104 amount;
        for (uint256 i; i < jobs.length; ++i) {
            JobId job = jobs[i];
            Claim memory sharing = _claims[job];
            if (block.timestamp <= sharing.closesAt) revert TooEarly(block.timestamp, sharing.closesAt);
            bool theirs = member.fromBlock != 0 && member.fromBlock <= _openedIn(job);
            if (!theirs || !uint256(sharing.unpaid).has(member.seat)) revert NoShare(job, msg.sender);
            _claims[job].unpaid = uint32(uint256(sharing.unpaid) ^ 1 << member.seat);
            amount += sharing.fee / sharing.sharers;
        }
        emit FeesWithdrawn(msg.sender, to, amount);
        IJobEscrow(escrow).withdraw(to, amount);
    }

    /// @inheritdoc IVerifierCommittee
    function claimOf(JobId job) external view returns (Claim memory) {
        return _claims[job];
    }

    function _ourJob(Terms calldata terms, Attestation calldata attestation)
        private
        view
        returns (JobId id, Job memory job)
    {
        id = IJobEscrow(escrow).jobIdOf(terms);
        if (terms.verifier != address(this) || attestation.job != id) revert NotOurJob(attestation.job);
        job = IJobEscrow(escrow).jobOf(id);
    }

    // ---------------------------------------------------------------- slashing

    /// @inheritdoc IVerifierCommittee
    function slash(Terms calldata terms, Attestation calldata attestation, bytes calldata signatures) external {
        (JobId id, Job memory job) = _ourJob(terms, attestation);
        if (_arbiter == address(0) || terms.arbiter != _arbiter) revert NotOurArbiter(terms.arbiter);
        if (!_provenWrong(job, attestation)) revert NotProvenWrong(id);
        bytes32 digest = _digestOf(attestation);
        uint256 count = signatures.length / SIGNATURE_SIZE;
        if (count == 0 || signatures.length % SIGNATURE_SIZE != 0) revert TooFewSignatures(count, 1);
        uint256 taken;
        for (uint256 i; i < count; ++i) {
            address signer = _signerAt(digest, signatures, i);
            taken += _takeStake(signer, id, job.openedIn);
        }
        uint256 bounty = taken * BOUNTY_BPS / FULL_BPS;
        // A wrong pass made the buyer pay for nothing; a wrong fail kept the provider from its pay.
        address harmed = attestation.verdict == Verdict.Pass ? terms.buyer : terms.provider;
        IERC20(credit).safeTransfer(msg.sender, bounty);
        IERC20(credit).safeTransfer(harmed, taken - bounty);
    }

    function _provenWrong(Job memory job, Attestation calldata attestation) private pure returns (bool) {
        if (job.state != JobState.Closed || job.closedBy != ClosedBy.Ruled) return false;
        if (attestation.verdict == Verdict.Pass) return job.failed && job.accepted < attestation.units;
        return attestation.verdict == Verdict.Fail && !job.failed && job.accepted > 0;
    }

    function _takeStake(address account, JobId job, uint256 openedIn) private returns (uint104 stake) {
        Member storage member = _members[account];
        stake = member.stake;
        bool theirs = member.fromBlock != 0 && member.fromBlock <= openedIn;
        if (!theirs || stake == 0) revert WrongDuty(account, member.duty);
        member.stake = 0;
        emit MemberSlashed(account, job, stake);
        if (_serves(member.duty)) _retire(account, member);
    }

    // ---------------------------------------------------------------- members

    /// @inheritdoc IVerifierCommittee
    function join() external {
        Member storage member = _members[msg.sender];
        if (!member.named) revert NotNamed(msg.sender);
        if (member.duty != Duty.None) revert WrongDuty(msg.sender, member.duty);
        member.stake = stakePerMember;
        member.fromBlock = 0;
        _enter(member, Duty.Joining);
        emit MemberJoined(msg.sender, stakePerMember);
        IERC20(credit).safeTransferFrom(msg.sender, address(this), stakePerMember);
    }

    /// @inheritdoc IVerifierCommittee
    function leave() external {
        Member storage member = _members[msg.sender];
        if (member.duty != Duty.Joining && member.duty != Duty.Serving) revert WrongDuty(msg.sender, member.duty);
        _startLeaving(msg.sender, member);
    }

    /// @inheritdoc IVerifierCommittee
    function rotate(address account) external {
        Member storage member = _members[account];
        Duty duty = member.duty;
        if (duty != Duty.Joining && duty != Duty.Leaving) revert WrongDuty(account, duty);
        uint256 due = uint256(member.since) + _rotationDelay;
        if (block.timestamp < due) revert TooEarly(block.timestamp, due);
        if (duty == Duty.Leaving) return _retire(account, member);
        uint256 seats = _roster.seats;
        uint256 seat = seats.lowestFree(MAX_MEMBERS);
        member.seat = uint8(seat);
        member.fromBlock = uint40(block.number);
        _enter(member, Duty.Serving);
        _seated[seat] = account;
        _setRoster(seats | 1 << seat);
        emit MemberServing(account, uint8(seat), member.fromBlock);
    }

    /// @inheritdoc IVerifierCommittee
    function release() external {
        Member storage member = _members[msg.sender];
        if (member.duty != Duty.Left) revert WrongDuty(msg.sender, member.duty);
        uint256 due = uint256(member.since) + _unbonding;
        if (block.timestamp <= due) revert StillUnbonding(block.timestamp, due);
        uint104 stake = member.stake;
        member.stake = 0;
        _enter(member, Duty.None);
        emit MemberLeft(msg.sender, stake);
        IERC20(credit).safeTransfer(msg.sender, stake);
    }

    /// @inheritdoc IVerifierCommittee
    function name(address member) external {
        if (msg.sender != owner) revert CallerNotOwner(msg.sender, owner);
        _name(member);
    }

    /// @inheritdoc IVerifierCommittee
    function dismiss(address account) external {
        if (msg.sender != owner) revert CallerNotOwner(msg.sender, owner);
        Member storage member = _members[account];
        if (!member.named) revert NotNamed(account);
        member.named = false;
        emit MemberDismissed(account);
        if (member.duty == Duty.Joining || member.duty == Duty.Serving) _startLeaving(account, member);
    }

    function _name(address member) private {
        if (member == address(0)) revert ZeroAddress();
        if (_members[member].named) revert AlreadyNamed(member);
        _members[member].named = true;
        emit MemberNamed(member);
    }

    /// @dev One who serves goes on until the delay is over; one who has not served yet never will.
    function _startLeaving(address account, Member storage member) private {
        _enter(member, member.duty == Duty.Serving ? Duty.Leaving : Duty.Left);
        emit MemberLeaving(account, member.since);
    }

    function _retire(address account, Member storage member) private {
        _enter(member, Duty.Left);
        _setRoster(uint256(_roster.seats) ^ 1 << member.seat);
        emit MemberRetired(account, member.since);
    }

    function _enter(Member storage member, Duty duty) private {
        member.duty = duty;
        member.since = uint40(block.timestamp);
    }

    function _setRoster(uint256 seats) private {
        Roster memory roster = _roster;
        if (roster.fromBlock != block.number) {
            _earlierRosters[roster.index] = roster;
            ++roster.index;
            roster.fromBlock = uint40(block.number);
        }
        roster.seats = uint32(seats);
        roster.count = uint8(seats.count());
        _roster = roster;
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IVerifierCommittee
    function memberOf(address account) external view returns (Member memory) {
        return _members[account];
    }

    /// @inheritdoc IVerifierCommittee
    function members() external view returns (address[] memory) {
        return _accountsIn(_roster.seats, type(uint256).max);
    }

    /// @inheritdoc IVerifierCommittee
    function isMember(address account) external view returns (bool) {
        return _serves(_members[account].duty);
    }

    /// @inheritdoc IVerifierCommittee
    function rules() external view returns (Rules memory) {
        return Rules({
            threshold: uint8(threshold),
            panelSize: uint8(_panelSize),
            stake: stakePerMember,
            rotationDelay: _rotationDelay,
            unbonding: _unbonding,
            claimWindow: _claimWindow,
            arbiter: _arbiter
        });
    }
}
