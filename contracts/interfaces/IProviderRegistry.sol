// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title Entry and exit of providers, and their resources.
/// @notice A provider enters with a stake of credits and may leave with it after an unbonding period. The registry holds nothing but
/// stakes, and lends them to the escrow where a bond is larger than what the provider has there.
interface IProviderRegistry {
    struct Rules {
        /// Credits to enter with.
        uint104 minStake;
        /// Seconds between asking to leave and leaving.
        uint32 unbonding;
        /// True: anybody may enter. False: who was admitted.
        bool openAdmission;
    }

    struct Provider {
        /// Credits of its, reserved ones included; zero if it is not in.
        uint104 stake;
        /// When it asked to leave; zero while it stays.
        uint40 exitRequestedAt;
        /// The unbonding period that it asked under, in seconds.
        uint32 unbonding;
        /// May enter while admission is not open.
        bool admitted;
        /// Of the stake, what stands behind jobs that are open: the escrow holds it.
        uint104 reserved;
    }

    /// @notice Of a provider's stake, what came from its balance in the escrow: it may leave again as it vests, and is slashed before the rest.
    struct Reward {
        /// May be claimed, but for what stands behind jobs that are open.
        uint104 vested;
        /// Vests evenly until `end`.
        uint104 unvested;
        /// Up to when `vested` counts, in UTC seconds.
        uint40 since;
        uint40 end;
    }

    event ProviderRegistered(address indexed provider, uint104 stake);
    event StakeAdded(address indexed provider, uint104 amount, uint104 stake);
    /// `amount` went to the escrow, for the bond of a job. `reserved`: all that is there.
    event StakeReserved(address indexed provider, uint104 amount, uint104 reserved);
    /// `amount` came back. Of what was reserved for the job, the rest is slashed.
    event StakeReleased(address indexed provider, uint104 amount, uint104 reserved);
    event StakeSlashed(address indexed provider, uint104 amount, uint104 stake);
    /// `amount` of its balance in the escrow was added to its stake (`StakeAdded` of the same amount came before); all that has not vested vests by `end`.
    event RewardStaked(address indexed provider, uint104 amount, uint40 end);
    /// `amount` of vested reward left its stake, for its wallet.
    event RewardClaimed(address indexed provider, uint104 amount, uint104 stake);
    /// A slash or a claim left less than the stake to enter with, so that no new job can name the provider; or it has added to its stake, and jobs can again.
    event ListingChanged(address indexed provider, bool listed);
    event ResourceListed(address indexed provider, bytes32 indexed resource);
    event ResourceRetired(address indexed provider, bytes32 indexed resource);
    event ExitRequested(address indexed provider, uint40 at);
    event ProviderExited(address indexed provider, uint104 stake);
    event RulesChanged(uint104 minStake, uint32 unbonding, bool openAdmission);
    event AdmissionChanged(address indexed provider, bool admitted);

    error CallerNotOwner(address caller, address owner);
    error CallerNotEscrow(address caller, address escrow);
    /// The bond is more than the provider has free in the escrow and unreserved here together.
    error FreeStakeTooSmall(address provider, uint104 free, uint104 needed);
    error StakeTooSmall(uint104 stake, uint104 limit);
    error AlreadyRegistered(address provider);
    error NotRegistered(address provider);
    error NotAdmitted(address provider);
    error AlreadyLeaving(uint40 exitRequestedAt);
    error NotLeaving(address provider);
    error StillUnbonding(uint256 time, uint256 limit);
    error JobsStillLive(uint104 locked);
    error ResourceKnown(bytes32 resource);
    error ResourceUnknown(bytes32 resource);
    error UnbondingTooLong(uint32 unbonding, uint32 limit);
    error ZeroAddress();

    // ---------------------------------------------------------------- providers

    /// @notice Enters with `stake` credits from the caller's wallet, by its allowance.
    function register(uint104 stake) external;

    /// @notice `register` with the caller's EIP-2612 permit for `stake`. A permit that fails is ignored, and the allowance decides.
    function registerWithPermit(uint104 stake, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;

    /// @notice Adds to the caller's stake. Lists it again if a slash had left too little.
    function addStake(uint104 amount) external;

    /// @notice Sends the caller what has vested of its reward and stands behind no job that is open: at most the stake that is not reserved.
    /// Takes the caller off the list if less than the stake to enter with is left. Returns the amount, which may be nothing.
    function claimReward() external returns (uint104 amount);

    /// @notice Says that the caller offers `resource`, the keccak-256 of its canonical URN.
    function listResource(bytes32 resource) external;

    function retireResource(bytes32 resource) external;

    /// @notice Asks to leave: no new job can name the caller from now on. Jobs that are open go on.
    function requestExit() external;

    /// @notice Leaves, with the stake, once the unbonding period is over and nothing of the caller's is locked in the escrow: so no challenge of a job that it
    /// provides, however long its windows, outlasts the stake, and nothing of the stake is reserved. Nobody but the caller can lock anything of its, and every job ends in bounded time.
    function exit() external;

    // ---------------------------------------------------------------- collateral

    /// @notice Sends `amount` of the provider's stake to the escrow, for the bond of a job that opens there. Only the escrow calls it.
    function reserve(address provider, uint104 amount) external;

    /// @notice Ends a reservation of `reserved` credits, of which the escrow has sent `returned` back; the rest is slashed: first
    /// of the reward what has not vested, then what has, last the rest of the stake. Only the escrow calls it, at the close.
    /// @dev Below the stake to enter with, new jobs cannot name the provider until it adds to its stake.
    function release(address provider, uint104 reserved, uint104 returned) external;

    /// @notice Adds `amount`, which the escrow has sent, to the provider's stake. It vests evenly over the unbonding period that rules now, together with what had not vested
    /// before. Only the escrow calls it, for the provider that pays.
    /// Warning: adding makes unvested reward of before wait longer.
    function stakeReward(address provider, uint104 amount) external;

    // ---------------------------------------------------------------- rules

    /// @notice Replaces the rules. The owner, which is a timelock. Who has asked to leave keeps the period that it asked under.
    function setRules(Rules calldata rules_) external;

    /// @notice Lets a provider enter, or no longer, while admission is not open. The owner.
    function setAdmitted(address provider, bool admitted) external;

    // ---------------------------------------------------------------- views

    /// @notice True for a provider that may be named in new jobs: it has entered, has not asked to leave, and no slash has left it too small a stake.
    function isActive(address provider) external view returns (bool);
    function providerOf(address provider) external view returns (Provider memory);
    /// @notice The provider's reward as it has vested by now.
    function rewardOf(address provider) external view returns (Reward memory);
    function isListed(address provider, bytes32 resource) external view returns (bool);
    function rules() external view returns (Rules memory);
    function credit() external view returns (address);
    function owner() external view returns (address);
    /// @notice Is told who is listed, so that opening a job needs no call of this registry.
    function escrow() external view returns (address);
    /// @notice Longest unbonding period that the owner may set, in seconds.
    function MAX_UNBONDING() external view returns (uint32);
}
