// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @title A k-of-n committee of bonded verifiers behind one verifier address.
/// @notice The owner, a timelock, names members; a member counts once it has staked. A signature of the committee is the 65-byte signatures (r, s, v)
/// of at least `threshold` counting members over the same digest, concatenated in ascending order of their addresses.
/// Fees that jobs pay to the committee gather in its balance inside the escrow; `collect` shares them evenly among those who count then.
interface IVerifierCommittee is IERC1271 {
    struct Member {
        /// Named by the owner: may join.
        bool named;
        /// Has staked and has not asked to leave: its signature counts.
        bool counting;
        /// When it asked to leave; zero otherwise.
        uint40 leavingSince;
        /// Credits staked.
        uint104 stake;
        /// Fees to withdraw.
        uint104 fees;
    }

    event MemberNamed(address indexed member);
    event MemberDismissed(address indexed member);
    event MemberJoined(address indexed member, uint104 stake);
    event MemberLeaving(address indexed member, uint40 at);
    event MemberLeft(address indexed member, uint104 stake);
    event FeesShared(uint104 amount, uint256 members, uint104 share);
    event FeesWithdrawn(address indexed member, address indexed to, uint104 amount);

    error CallerNotOwner(address caller, address owner);
    error NotNamed(address member);
    error AlreadyNamed(address member);
    error AlreadyJoined(address member);
    error NotJoined(address member);
    error StillStaked(address member, uint104 stake);
    error StillUnbonding(uint256 time, uint256 limit);
    error TooManyMembers(uint256 members, uint256 limit);
    error ThresholdOutOfRange(uint256 threshold, uint256 low, uint256 high);
    error NothingToShare(uint256 amount, uint256 members);
    error ZeroAddress();

    // ---------------------------------------------------------------- members

    /// @notice A named member stakes, from its wallet by its allowance, and counts from now on.
    function join() external;

    /// @notice The caller counts no longer. Its stake is released after the unbonding period.
    function leave() external;

    /// @notice Pays the caller's stake back, once it has left and the unbonding period is over.
    function release() external;

    /// @notice Pays the caller's fees to `to`.
    function withdrawFees(address to) external;

    /// @notice Brings the committee's balance out of the escrow and shares it among the members that count. What does not divide stays for the next
    /// time. Anyone may call.
    function collect() external;

    // ---------------------------------------------------------------- rotation

    /// @notice Names a member. The owner, which is a timelock.
    function name(address member) external;

    /// @notice Un-names a member; if it counts, it is leaving from now on. The owner.
    function dismiss(address member) external;

    // ---------------------------------------------------------------- views

    function memberOf(address account) external view returns (Member memory);
    /// @notice The members that count, in no order.
    function members() external view returns (address[] memory);
    function isMember(address account) external view returns (bool counting);
    function threshold() external view returns (uint256);
    function stakePerMember() external view returns (uint104);
    /// @notice In seconds.
    function unbonding() external view returns (uint32);
    function credit() external view returns (address);
    function escrow() external view returns (address);
    function owner() external view returns (address);
    /// @notice So that checking a signature stays within the gas that an escrow grants.
    function MAX_MEMBERS() external view returns (uint256);
}
