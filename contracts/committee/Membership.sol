// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IJobEscrow} from "../interfaces/IJobEscrow.sol";
import {IVerifierCommittee} from "../interfaces/IVerifierCommittee.sol";
import {SeatSet} from "../libraries/SeatSet.sol";
import {JobId} from "../types/JobId.sol";

/// @notice The members of a committee: who serves since when, their stakes, and the panel that is drawn of them for a job.
abstract contract Membership is IVerifierCommittee {
    using SafeERC20 for IERC20;
    using SeatSet for uint256;

    /// @dev Who serves jobs opened in `fromBlock` or later, up to the next roster.
    struct Roster {
        uint40 fromBlock;
        uint32 seats;
        uint8 count;
        /// How many rosters there were before.
        uint32 index;
    }

    uint256 private constant BLOCKS_IN_REACH = 256;
    /// Of `jobOf`: its answer's words, and where in it `openedIn` stands.
    uint256 private constant ANSWER_SIZE = 11 * 32;
    uint256 private constant OPENED_IN_AT = 7 * 32;
    /// @inheritdoc IVerifierCommittee
    uint256 public constant MAX_MEMBERS = 32;
    /// @inheritdoc IVerifierCommittee
    address public immutable credit;
    /// @inheritdoc IVerifierCommittee
    address public immutable escrow;
    /// @inheritdoc IVerifierCommittee
    address public immutable owner;
    /// @inheritdoc IVerifierCommittee
    uint104 public immutable stakePerMember;
    uint256 internal immutable _panelSize;
    uint32 internal immutable _rotationDelay;
    uint32 internal immutable _unbonding;

    Roster private _roster;
    mapping(uint256 index => Roster) private _earlierRosters;
    mapping(address account => Member) internal _members;
    address[MAX_MEMBERS] private _seated;
    mapping(uint256 number => bytes32) private _blockHashes;

    constructor(address escrow_, address owner_, Rules memory rules_, address[] memory named) {
        if (escrow_ == address(0) || owner_ == address(0)) revert ZeroAddress();
        if (rules_.panelSize == 0 || rules_.panelSize > MAX_MEMBERS) {
            revert PanelOutOfRange(rules_.panelSize, 1, MAX_MEMBERS);
        }
        escrow = escrow_;
        credit = IJobEscrow(escrow_).credit();
        owner = owner_;
        stakePerMember = rules_.stake;
        _panelSize = rules_.panelSize;
        _rotationDelay = rules_.rotationDelay;
        _unbonding = rules_.unbonding;
        for (uint256 i; i < named.length; ++i) {
            _name(named[i]);
        }
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
    function _panel(JobId job, uint256 openedIn) internal view returns (uint256) {
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
            if (seats.has(seat) && _servedIn(openedIn, _members[account])) accounts[filled++] = account;
        }
        assembly ("memory-safe") {
            mstore(accounts, filled)
        }
    }

    /// @dev One word of what `jobOf` answers: decoding the others costs as much as the call.
    function _openedIn(JobId id) internal view returns (uint256 openedIn) {
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

    // ---------------------------------------------------------------- members

    /// @inheritdoc IVerifierCommittee
    function join() external {
        Member storage member = _members[msg.sender];
        if (!member.named) revert NotNamed(msg.sender);
        if (member.duty != Duty.None) revert WrongDuty(msg.sender, member.duty);
        member.stake = stakePerMember;
        (member.fromBlock, member.untilBlock) = (0, 0);
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
        // The jobs of the block in which somebody left a seat are its own: nobody else has that seat in the same block.
        if (_members[_seated[seat]].untilBlock == block.number) revert TooEarly(block.number, block.number + 1);
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

    function _retire(address account, Member storage member) internal {
        _enter(member, Duty.Left);
        member.untilBlock = uint40(block.number);
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

    /// @dev Whether jobs opened in that block were the member's. A seat alone does not tell: whoever retires leaves it to others.
    function _servedIn(uint256 openedIn, Member memory member) internal pure returns (bool) {
        bool began = member.fromBlock != 0 && member.fromBlock <= openedIn;
        return began && (member.untilBlock == 0 || openedIn <= member.untilBlock);
    }

    function _serves(Duty duty) internal pure returns (bool) {
        return duty == Duty.Serving || duty == Duty.Leaving;
    }
}
