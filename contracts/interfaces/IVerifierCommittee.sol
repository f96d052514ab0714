// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

import {Attestation} from "../types/Attestation.sol";
import {JobId} from "../types/JobId.sol";
import {Terms} from "../types/Terms.sol";

/// @title A committee of bonded verifiers behind one verifier address: for each job a panel is drawn, and k of it sign.
/// @notice The owner, a timelock, names members. A member that has staked serves once the rotation delay is over, and until that delay is over after it
/// asked to leave or was dismissed.
///
/// **Panel.** A job's panel is `panelSize` of the members that served when it was opened, drawn by keccak-256 of the hash of the block of its opening and
/// the job's id: fixed by the opening, and known to nobody before the next block. Blocks forget: after 256 blocks the hash is there only if somebody recorded
/// it (`recordBlock`); a job whose block nobody recorded may be attested by any `threshold` of those members. While no more serve than a panel seats, all are in it.
///
/// **Signature.** The committee signs attestations and nothing else. Its signature is the attestation itself (its 8 words) and then the 65-byte signatures
/// (r, s, v) of at least `threshold` members of the panel over the attestation's digest, in ascending order of their addresses.
///
/// **Fees.** ERC-1271 is `view`, so the committee learns who signed when the signatures are presented again, to `claim`. For `claimWindow` from the first claim
/// of a job others of the panel that signed the same attestation can be added; then all who signed have equal shares, and each withdraws its own.
///
/// **Slashing.** Whoever presents a member's signature under an attestation that a ruling of the committee's arbiter proved wrong takes the member's whole stake:
/// a tenth is the presenter's, the rest goes to the party that the wrong word harmed. The member serves no longer from then on.
///
/// Warning: only rulings of the one arbiter that the committee was made with count, because parties that are one and the same could name any other. Members
/// should serve only jobs that name it, or no arbiter.
interface IVerifierCommittee is IERC1271 {
    /// @notice Fixed at deployment. Times in seconds.
    struct Rules {
        /// Members of a job's panel that have to sign.
        uint8 threshold;
        /// Members that are drawn for a job.
        uint8 panelSize;
        /// Credits that each member stakes.
        uint104 stake;
        /// From joining to serving, and from asking to leave, or being dismissed, to serving no longer.
        uint32 rotationDelay;
        /// From serving no longer to the release of the stake: outlasts the windows of the jobs that members serve.
        uint32 unbonding;
        /// From the first claim of a job's fee to its sharing.
        uint32 claimWindow;
        /// Whose rulings prove signatures wrong; zero if nobody's.
        address arbiter;
    }

    enum Duty {
        None,
        Joining,
        Serving,
        Leaving,
        Left
    }

    struct Member {
        /// Named by the owner: may join.
        bool named;
        Duty duty;
        /// Its place in the sets of seats, while it has one.
        uint8 seat;
        /// When the duty last changed, in UTC seconds.
        uint40 since;
        /// It serves jobs opened in this block or later; zero before it served.
        uint40 fromBlock;
        /// It serves no job opened after this block, in which it retired; zero before. From the next on its seat may be another's.
        uint40 untilBlock;
        uint104 stake;
    }

    /// @notice The sharing of one job's fee.
    struct Claim {
        uint104 fee;
        /// How many share it.
        uint8 sharers;
        /// Seats that have not been paid their share.
        uint32 unpaid;
        /// When the shares are fixed, in UTC seconds; zero if nobody claimed.
        uint40 closesAt;
        /// The low bits of the attestation's digest.
        uint48 attestation;
    }

    event MemberNamed(address indexed member);
    event MemberDismissed(address indexed member);
    event MemberJoined(address indexed member, uint104 stake);
    event MemberServing(address indexed member, uint8 seat, uint40 fromBlock);
    event MemberLeaving(address indexed member, uint40 at);
    event MemberRetired(address indexed member, uint40 at);
    event MemberLeft(address indexed member, uint104 stake);
    event BlockRecorded(uint256 indexed number, bytes32 hash);
    event FeeClaimed(JobId indexed job, uint104 fee, uint8 sharers, uint40 closesAt);
    event FeesWithdrawn(address indexed member, address indexed to, uint104 amount);
    event MemberSlashed(address indexed member, JobId indexed job, uint104 stake);

    error CallerNotOwner(address caller, address owner);
    error NotNamed(address member);
    error AlreadyNamed(address member);
    error WrongDuty(address member, Duty duty);
    error StillUnbonding(uint256 time, uint256 limit);
    error TooEarly(uint256 time, uint256 limit);
    error TooLate(uint256 time, uint256 limit);
    error ThresholdOutOfRange(uint256 threshold, uint256 low, uint256 high);
    error PanelOutOfRange(uint256 panelSize, uint256 low, uint256 high);
    error BlockNotInReach(uint256 number, uint256 low, uint256 high);
    /// The job's verifier, or the statement's job, is another.
    error NotOurJob(JobId job);
    /// The job's arbiter is not the committee's.
    error NotOurArbiter(address arbiter);
    /// The job is not closed, or closed without paying its verifier.
    error NothingEarned(JobId job);
    /// The escrow would not have taken this attestation for how the job ended.
    error NotTheAttestation(JobId job);
    error TooFewSignatures(uint256 signatures, uint256 threshold);
    error NoShare(JobId job, address member);
    /// No ruling says that the attestation is wrong.
    error NotProvenWrong(JobId job);
    error ZeroAddress();

    // ---------------------------------------------------------------- members

    /// @notice A named member stakes, from its wallet by its allowance. It serves after the rotation delay, once anyone calls `rotate`.
    /// Warning: shares of an earlier term that were not withdrawn are lost.
    function join() external;

    /// @notice The caller wants to serve no longer. It goes on serving for the rotation delay, until anyone calls `rotate`.
    function leave() external;

    /// @notice Carries out what a member joined or left for, once the delay is over. Anyone may call.
    function rotate(address member) external;

    /// @notice Pays the caller's stake back, once it has left and the unbonding period is over.
    function release() external;

    // ---------------------------------------------------------------- panels

    /// @notice Keeps the hash of one of the last 256 blocks, so that panels of jobs opened in it stay known. Anyone may call.
    function recordBlock(uint256 number) external;

    /// @notice The hash that was kept of a block; zero if nobody recorded it.
    function recordedBlock(uint256 number) external view returns (bytes32);

    /// @notice The members of a job's panel. Empty for an unknown job, and in the block of the opening while there is something to draw.
    function panelOf(JobId job) external view returns (address[] memory);

    // ---------------------------------------------------------------- fees

    /// @notice Presents again what earned a closed job's fee: the attestation and signatures under it, as for `isValidSignature` but without the
    /// attestation's words. Anyone may call, again with further signatures until the claim window is over.
    function claim(Terms calldata terms, Attestation calldata attestation, bytes calldata signatures) external;

    /// @notice Pays the caller's shares of these jobs to `to`, out of the committee's balance in the escrow. What does not divide stays there.
    function withdrawFees(JobId[] calldata jobs, address to) external;

    function claimOf(JobId job) external view returns (Claim memory);

    // ---------------------------------------------------------------- slashing

    /// @notice Takes the stakes of all whose signatures over `attestation` are presented, in ascending order of addresses, one or more. Anyone may call.
    /// @dev A pass is wrong if the arbiter took of the bond and the job paid fewer units than the pass says; a fail is wrong if the arbiter took nothing of
    /// the bond and the job paid something.
    function slash(Terms calldata terms, Attestation calldata attestation, bytes calldata signatures) external;

    // ---------------------------------------------------------------- rotation

    /// @notice Names a member. The owner, which is a timelock.
    function name(address member) external;

    /// @notice Un-names a member; if it serves, it is leaving from now on. The owner.
    function dismiss(address member) external;

    // ---------------------------------------------------------------- views

    function memberOf(address account) external view returns (Member memory);
    /// @notice The members that serve, by seat.
    function members() external view returns (address[] memory);
    /// @notice Whether the account serves.
    function isMember(address account) external view returns (bool);
    function rules() external view returns (Rules memory);
    function threshold() external view returns (uint256);
    function stakePerMember() external view returns (uint104);
    function credit() external view returns (address);
    function escrow() external view returns (address);
    function owner() external view returns (address);
    /// @notice So that checking a signature stays within the gas that an escrow grants.
    function MAX_MEMBERS() external view returns (uint256);
    /// @notice Share of a slashed stake for whoever presented the proof.
    function BOUNTY_BPS() external view returns (uint256);
}
