// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IJobEscrow} from "./interfaces/IJobEscrow.sol";
import {IVerifierCommittee} from "./interfaces/IVerifierCommittee.sol";
import {SignatureCheck} from "./libraries/SignatureCheck.sol";

contract VerifierCommittee is IVerifierCommittee {
    using SafeERC20 for IERC20;

    uint256 private constant SIGNATURE_SIZE = 65;
    bytes4 private constant NOT_VALID = 0xffffffff;

    /// @inheritdoc IVerifierCommittee
    uint256 public constant MAX_MEMBERS = 32;
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
    /// @inheritdoc IVerifierCommittee
    uint32 public immutable unbonding;

    mapping(address account => Member) private _members;
    address[] private _counting;
    /// @dev Collected and not yet divisible.
    uint104 private _remainder;

    constructor(
        address escrow_,
        address owner_,
        uint256 threshold_,
        uint104 stakePerMember_,
        uint32 unbonding_,
        address[] memory named
    ) {
        if (escrow_ == address(0) || owner_ == address(0)) revert ZeroAddress();
        if (threshold_ == 0 || threshold_ > MAX_MEMBERS) revert ThresholdOutOfRange(threshold_, 1, MAX_MEMBERS);
        escrow = escrow_;
        credit = IJobEscrow(escrow_).credit();
        owner = owner_;
        threshold = threshold_;
        stakePerMember = stakePerMember_;
        unbonding = unbonding_;
        for (uint256 i; i < named.length; ++i) {
            _name(named[i]);
        }
    }

    // ---------------------------------------------------------------- signatures

    /// @inheritdoc IERC1271
    function isValidSignature(bytes32 hash, bytes calldata signatures) external view returns (bytes4) {
        uint256 count = signatures.length / SIGNATURE_SIZE;
        if (signatures.length % SIGNATURE_SIZE != 0 || count < threshold || count > MAX_MEMBERS) return NOT_VALID;
        address last = address(0);
        for (uint256 i; i < count; ++i) {
            bytes calldata signature = signatures[i * SIGNATURE_SIZE:(i + 1) * SIGNATURE_SIZE];
            address signer = SignatureCheck.signerOf(hash, signature);
            // Ascending addresses: nobody counts twice, and the zero address of a bad signature never counts.
            if (signer <= last || !_members[signer].counting) return NOT_VALID;
            last = signer;
        }
        return IERC1271.isValidSignature.selector;
    }

    // ---------------------------------------------------------------- members

    /// @inheritdoc IVerifierCommittee
    function join() external {
        Member storage member = _members[msg.sender];
        if (!member.named) revert NotNamed(msg.sender);
        if (member.counting) revert AlreadyJoined(msg.sender);
        if (member.leavingSince != 0) revert StillStaked(msg.sender, member.stake);
        if (_counting.length == MAX_MEMBERS) revert TooManyMembers(MAX_MEMBERS + 1, MAX_MEMBERS);
        member.counting = true;
        member.stake = stakePerMember;
        _counting.push(msg.sender);
        emit MemberJoined(msg.sender, stakePerMember);
        IERC20(credit).safeTransferFrom(msg.sender, address(this), stakePerMember);
    }

    /// @inheritdoc IVerifierCommittee
    function leave() external {
        if (!_members[msg.sender].counting) revert NotJoined(msg.sender);
        _stopCounting(msg.sender);
    }

    /// @inheritdoc IVerifierCommittee
    function release() external {
        Member storage member = _members[msg.sender];
        if (member.leavingSince == 0) revert NotJoined(msg.sender);
        uint256 due = uint256(member.leavingSince) + unbonding;
        if (block.timestamp <= due) revert StillUnbonding(block.timestamp, due);
        uint104 stake = member.stake;
        member.stake = 0;
        member.leavingSince = 0;
        emit MemberLeft(msg.sender, stake);
        IERC20(credit).safeTransfer(msg.sender, stake);
    }

    /// @inheritdoc IVerifierCommittee
    function withdrawFees(address to) external {
        if (to == address(0)) revert ZeroAddress();
        uint104 amount = _members[msg.sender].fees;
        _members[msg.sender].fees = 0;
        emit FeesWithdrawn(msg.sender, to, amount);
        IERC20(credit).safeTransfer(to, amount);
    }

    /// @inheritdoc IVerifierCommittee
    function collect() external {
        uint104 fresh = IJobEscrow(escrow).accountOf(address(this)).free;
        uint104 amount = _remainder + fresh;
        uint256 count = _counting.length;
        if (fresh == 0 || count == 0) revert NothingToShare(amount, count);
        uint104 share = amount / uint104(count);
        _remainder = amount - share * uint104(count);
        for (uint256 i; i < count; ++i) {
            _members[_counting[i]].fees += share;
        }
        emit FeesShared(amount, count, share);
        IJobEscrow(escrow).withdraw(address(this), fresh);
    }

    // ---------------------------------------------------------------- rotation

    /// @inheritdoc IVerifierCommittee
    function name(address member) external {
        if (msg.sender != owner) revert CallerNotOwner(msg.sender, owner);
        _name(member);
    }

    /// @inheritdoc IVerifierCommittee
    function dismiss(address member) external {
        if (msg.sender != owner) revert CallerNotOwner(msg.sender, owner);
        if (!_members[member].named) revert NotNamed(member);
        _members[member].named = false;
        emit MemberDismissed(member);
        if (_members[member].counting) _stopCounting(member);
    }

    function _name(address member) private {
        if (member == address(0)) revert ZeroAddress();
        if (_members[member].named) revert AlreadyNamed(member);
        _members[member].named = true;
        emit MemberNamed(member);
    }

    function _stopCounting(address account) private {
        Member storage member = _members[account];
        member.counting = false;
        member.leavingSince = uint40(block.timestamp);
        uint256 count = _counting.length;
        for (uint256 i; i < count; ++i) {
            if (_counting[i] != account) continue;
            _counting[i] = _counting[count - 1];
            _counting.pop();
            break;
        }
        emit MemberLeaving(account, member.leavingSince);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IVerifierCommittee
    function memberOf(address account) external view returns (Member memory) {
        return _members[account];
    }

    /// @inheritdoc IVerifierCommittee
    function members() external view returns (address[] memory) {
        return _counting;
    }

    /// @inheritdoc IVerifierCommittee
    function isMember(address account) external view returns (bool counting) {
        return _members[account].counting;
    }
}
