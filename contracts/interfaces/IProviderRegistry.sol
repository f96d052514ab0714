// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title Entry and exit of providers, and their resources.
/// @notice A provider enters with a stake of credits and may leave with it after an unbonding period. The registry holds nothing but stakes.
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
        /// Credits held for it; zero if it is not in.
        uint104 stake;
        /// When it asked to leave; zero while it stays.
        uint40 exitRequestedAt;
        /// The unbonding period that it asked under, in seconds.
        uint32 unbonding;
        /// May enter while admission is not open.
        bool admitted;
    }

    event ProviderRegistered(address indexed provider, uint104 stake);
    event StakeAdded(address indexed provider, uint104 amount, uint104 stake);
    event ResourceListed(address indexed provider, bytes32 indexed resource);
    event ResourceRetired(address indexed provider, bytes32 indexed resource);
    event ExitRequested(address indexed provider, uint40 at);
    event ProviderExited(address indexed provider, uint104 stake);
    event RulesChanged(uint104 minStake, uint32 unbonding, bool openAdmission);
    event AdmissionChanged(address indexed provider, bool admitted);

    error CallerNotOwner(address caller, address owner);
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

    function addStake(uint104 amount) external;

    /// @notice Says that the caller offers `resource`, the keccak-256 of its canonical URN.
    function listResource(bytes32 resource) external;

    function retireResource(bytes32 resource) external;

    /// @notice Asks to leave: no new job can name the caller from now on. Jobs that are open go on.
    function requestExit() external;

    /// @notice Leaves, with the stake, once the unbonding period is over and nothing of the caller's is locked in the escrow: so no challenge of a job that it
    /// provides, however long its windows, outlasts the stake. Nobody but the caller can lock anything of its, and every job ends in bounded time.
    function exit() external;

    // ---------------------------------------------------------------- rules

    /// @notice Replaces the rules. The owner, which is a timelock. Who has asked to leave keeps the period that it asked under.
    function setRules(Rules calldata rules_) external;

    /// @notice Lets a provider enter, or no longer, while admission is not open. The owner.
    function setAdmitted(address provider, bool admitted) external;

    // ---------------------------------------------------------------- views

    /// @notice True for a provider that has entered and has not asked to leave: it may be named in new jobs.
    function isActive(address provider) external view returns (bool);
    function providerOf(address provider) external view returns (Provider memory);
    function isListed(address provider, bytes32 resource) external view returns (bool);
    function rules() external view returns (Rules memory);
    function credit() external view returns (address);
    function owner() external view returns (address);
    /// @notice Is told who is listed, so that opening a job needs no call of this registry.
    function escrow() external view returns (address);
    /// @notice Longest unbonding period that the owner may set, in seconds.
    function MAX_UNBONDING() external view returns (uint32);
}
