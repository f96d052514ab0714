// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title ERC-8183, Agentic Commerce: the functions, states and events of its text.
/// @notice A client locks a budget, a provider submits work, and one evaluator alone completes or rejects it; after `expiredAt` anybody sends the budget back.
/// @dev The text writes `hook?` and `optParams?`: what is optional there has both forms here, and the shorter one means nothing or nobody.
interface IERC8183 {
    enum JobStatus {
        Open,
        Funded,
        Submitted,
        Completed,
        Rejected,
        Expired
    }

    struct Job {
        uint256 id;
        address client;
        address provider;
        address evaluator;
        string description;
        uint256 budget;
        uint256 expiredAt;
        JobStatus status;
        address hook;
    }

    event JobCreated(
        uint256 indexed jobId, address indexed client, address indexed provider, address evaluator, uint256 expiredAt
    );
    event ProviderSet(uint256 indexed jobId, address indexed provider);
    event BudgetSet(uint256 indexed jobId, uint256 amount);
    event JobFunded(uint256 indexed jobId, address indexed client, uint256 amount);
    event JobSubmitted(uint256 indexed jobId, address indexed provider, bytes32 deliverable);
    event JobCompleted(uint256 indexed jobId, address indexed evaluator, bytes32 reason);
    event JobRejected(uint256 indexed jobId, address indexed rejector, bytes32 reason);
    event JobExpired(uint256 indexed jobId);
    event PaymentReleased(uint256 indexed jobId, address indexed provider, uint256 amount);
    event Refunded(uint256 indexed jobId, address indexed client, uint256 amount);

    /// There is no such job.
    error InvalidJob();
    /// The job's status, or the time, does not allow it.
    error WrongStatus();
    error Unauthorized();
    error ZeroAddress();
    /// `expiredAt` is not in the future.
    error ExpiryTooShort();
    error ZeroBudget();
    error BudgetMismatch();
    error ProviderNotSet();

    /// @notice Creates a job of the caller's. The provider may be zero, and set later. `hook`: zero, or a contract that is called around each step.
    function createJob(
        address provider,
        address evaluator,
        uint256 expiredAt,
        string calldata description,
        address hook
    ) external returns (uint256 jobId);
    function createJob(address provider, address evaluator, uint256 expiredAt, string calldata description)
        external
        returns (uint256 jobId);

    /// @notice Names the provider of an open job that has none. The client.
    function setProvider(uint256 jobId, address provider, bytes calldata optParams) external;
    function setProvider(uint256 jobId, address provider) external;

    /// @notice Sets the price of an open job. Client or provider.
    function setBudget(uint256 jobId, uint256 amount, bytes calldata optParams) external;
    function setBudget(uint256 jobId, uint256 amount) external;

    /// @notice Takes the budget from the client's wallet, by its allowance. The client; `expectedBudget` guards it against a change just before.
    function fund(uint256 jobId, uint256 expectedBudget, bytes calldata optParams) external;
    function fund(uint256 jobId, uint256 expectedBudget) external;

    /// @notice Says that the work is done. The provider.
    function submit(uint256 jobId, bytes32 deliverable, bytes calldata optParams) external;
    function submit(uint256 jobId, bytes32 deliverable) external;

    /// @notice Pays the provider of a submitted job. The evaluator.
    function complete(uint256 jobId, bytes32 reason, bytes calldata optParams) external;
    function complete(uint256 jobId, bytes32 reason) external;

    /// @notice Ends an open job (the client), or one that is funded or submitted (the evaluator), and sends the budget back.
    function reject(uint256 jobId, bytes32 reason, bytes calldata optParams) external;
    function reject(uint256 jobId, bytes32 reason) external;

    /// @notice Sends the budget of a funded or submitted job back, from `expiredAt` on. Anybody; calls no hook.
    function claimRefund(uint256 jobId) external;

    function getJob(uint256 jobId) external view returns (Job memory);
    function jobCounter() external view returns (uint256);
    function paymentToken() external view returns (address);
}

/// @title What a job of ERC-8183 calls before and after each step but `createJob` and `claimRefund`.
interface IACPHook {
    function beforeAction(uint256 jobId, bytes4 selector, bytes calldata data) external;
    function afterAction(uint256 jobId, bytes4 selector, bytes calldata data) external;
}
