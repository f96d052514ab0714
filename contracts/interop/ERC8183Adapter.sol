// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

import {IACPHook, IERC8183} from "../interfaces/IERC8183.sol";
import {IERC8183Adapter} from "../interfaces/IERC8183Adapter.sol";
import {IERC8183Seat} from "../interfaces/IERC8183Seat.sol";
import {IJobEscrow} from "../interfaces/IJobEscrow.sol";
import {Attestation, Verdict} from "../types/Attestation.sol";
import {JobState} from "../types/Job.sol";
import {JobId} from "../types/JobId.sol";
import {Parameters} from "../types/Parameters.sol";
import {Settlement} from "../types/Settlement.sol";
import {Signatures} from "../types/Signatures.sol";
import {Terms} from "../types/Terms.sol";
import {ERC8183Seat} from "./ERC8183Seat.sol";

/// @dev Holds nothing between calls: a budget goes from the client into the escrow in one, and out of it in another.
/// Long on purpose: every step of the standard in both of its forms, in the order of a job's life.
contract ERC8183Adapter is IERC8183Adapter, IERC1271, ReentrancyGuard {
    using SafeERC20 for IERC20;

    bytes4 private constant NOT_VALID = 0xffffffff;
    bytes32 private constant SILENT = bytes32(uint256(1));
    uint16 private constant FULL_BPS = 10_000;
    /// The escrow's longest life of a job: a day and more beyond any expiry.
    uint40 private constant LIFE = 366 days;

    // The longer form of each step names it to hooks.
    bytes4 private constant SET_PROVIDER = bytes4(keccak256("setProvider(uint256,address,bytes)"));
    bytes4 private constant SET_BUDGET = bytes4(keccak256("setBudget(uint256,uint256,bytes)"));
    bytes4 private constant FUND = bytes4(keccak256("fund(uint256,uint256,bytes)"));
    bytes4 private constant SUBMIT = bytes4(keccak256("submit(uint256,bytes32,bytes)"));
    bytes4 private constant COMPLETE = bytes4(keccak256("complete(uint256,bytes32,bytes)"));
    bytes4 private constant REJECT = bytes4(keccak256("reject(uint256,bytes32,bytes)"));

    /// @inheritdoc IERC8183Adapter
    uint256 public constant HOOK_GAS = 2_000_000;
    /// @inheritdoc IERC8183Adapter
    uint256 public constant MAX_DURATION = 365 days;

    struct Kept {
        address client;
        JobStatus status;
        /// The provider set the budget that stands.
        bool agreed;
        uint40 expiredAt;
        uint40 fundedAt;
        address provider;
        address evaluator;
        address hook;
        uint104 budget;
        uint104 bond;
        bytes32 spec;
        bytes32 deliverable;
        string description;
    }

    IJobEscrow private immutable ESCROW;
    IERC20 private immutable CREDIT;
    address private immutable SEAT;
    uint32 private immutable WINDOW;

    /// @inheritdoc IERC8183
    uint256 public jobCounter;
    /// @inheritdoc IERC8183Adapter
    bytes32 public voiced = SILENT;
    mapping(uint256 jobId => Kept) private _jobs;
    /// @inheritdoc IERC8183Adapter
    mapping(address provider => address) public seatOf;
    /// @inheritdoc IERC8183Adapter
    mapping(address provider => bool) public consents;

    constructor(IJobEscrow escrow_) {
        if (address(escrow_) == address(0)) revert ZeroAddress();
        ESCROW = escrow_;
        CREDIT = IERC20(escrow_.credit());
        SEAT = address(new ERC8183Seat(escrow_));
        WINDOW = escrow_.MAX_WINDOW();
        // Holds tokens only while it funds a job, and the escrow takes exactly those.
        CREDIT.forceApprove(address(escrow_), type(uint256).max);
    }

    // ---------------------------------------------------------------- providers

    /// @inheritdoc IERC8183Adapter
    function takeSeat() external nonReentrant returns (address seat) {
        if (seatOf[msg.sender] != address(0)) revert SeatKnown(msg.sender, seatOf[msg.sender]);
        seat = Clones.clone(SEAT);
        seatOf[msg.sender] = seat;
        emit SeatTaken(msg.sender, seat);
        IERC8183Seat(seat).take(msg.sender);
    }

    /// @inheritdoc IERC8183Adapter
    function setStandingConsent(bool consents_) external {
        consents[msg.sender] = consents_;
        emit StandingConsentChanged(msg.sender, consents_);
    }

    // ---------------------------------------------------------------- create

    /// @inheritdoc IERC8183
    function createJob(
        address provider,
        address evaluator,
        uint256 expiredAt,
        string calldata description,
        address hook
    ) external returns (uint256 jobId) {
        return _createJob(provider, evaluator, expiredAt, description, hook);
    }

    /// @inheritdoc IERC8183
    function createJob(address provider, address evaluator, uint256 expiredAt, string calldata description)
        external
        returns (uint256 jobId)
    {
        return _createJob(provider, evaluator, expiredAt, description, address(0));
    }

    function _createJob(
        address provider,
        address evaluator,
        uint256 expiredAt,
        string calldata description,
        address hook
    ) private nonReentrant returns (uint256 jobId) {
        if (evaluator == address(0)) revert ZeroAddress();
        if (expiredAt <= block.timestamp) revert ExpiryTooShort();
        if (expiredAt > block.timestamp + MAX_DURATION) {
            revert ExpiryTooLate(expiredAt, block.timestamp + MAX_DURATION);
        }
        if (hook != address(0) && hook.code.length == 0) revert HookIsNoContract(hook);
        jobId = ++jobCounter;
        Kept storage job = _jobs[jobId];
        job.client = msg.sender;
        job.expiredAt = uint40(expiredAt);
        job.provider = provider;
        job.evaluator = evaluator;
        job.hook = hook;
        job.spec = sha256(bytes(description));
        job.description = description;
        emit JobCreated(jobId, msg.sender, provider, evaluator, expiredAt);
    }

    // ---------------------------------------------------------------- provider and budget

    /// @inheritdoc IERC8183
    function setProvider(uint256 jobId, address provider, bytes calldata optParams) external {
        _setProvider(jobId, provider, optParams);
    }

    /// @inheritdoc IERC8183
    function setProvider(uint256 jobId, address provider) external {
        _setProvider(jobId, provider, "");
    }

    function _setProvider(uint256 jobId, address provider, bytes memory optParams) private nonReentrant {
        Kept storage job = _in(jobId, JobStatus.Open);
        if (msg.sender != job.client) revert Unauthorized();
        if (job.provider != address(0)) revert WrongStatus();
        if (provider == address(0)) revert ZeroAddress();
        bytes memory data = abi.encode(provider, optParams);
        _before(job.hook, jobId, SET_PROVIDER, data);
        job.provider = provider;
        emit ProviderSet(jobId, provider);
        _after(job.hook, jobId, SET_PROVIDER, data);
    }

    /// @inheritdoc IERC8183
    function setBudget(uint256 jobId, uint256 amount, bytes calldata optParams) external {
        _setBudget(jobId, amount, optParams);
    }

    /// @inheritdoc IERC8183
    function setBudget(uint256 jobId, uint256 amount) external {
        _setBudget(jobId, amount, "");
    }

    function _setBudget(uint256 jobId, uint256 amount, bytes memory optParams) private nonReentrant {
        Kept storage job = _in(jobId, JobStatus.Open);
        bool byProvider = msg.sender == job.provider;
        if (!byProvider && msg.sender != job.client) revert Unauthorized();
        if (amount > type(uint104).max) revert BudgetTooLarge(amount, type(uint104).max);
        bytes memory data = abi.encode(amount, optParams);
        _before(job.hook, jobId, SET_BUDGET, data);
        // A client that repeats what its provider asked leaves its consent.
        job.agreed = byProvider || (job.agreed && amount == job.budget);
        job.budget = uint104(amount);
        emit BudgetSet(jobId, amount);
        _after(job.hook, jobId, SET_BUDGET, data);
    }

    // ---------------------------------------------------------------- fund

    /// @inheritdoc IERC8183
    function fund(uint256 jobId, uint256 expectedBudget, bytes calldata optParams) external {
        _fund(jobId, expectedBudget, optParams);
    }

    /// @inheritdoc IERC8183
    function fund(uint256 jobId, uint256 expectedBudget) external {
        _fund(jobId, expectedBudget, "");
    }

    function _fund(uint256 jobId, uint256 expectedBudget, bytes memory optParams) private nonReentrant {
        Kept storage job = _in(jobId, JobStatus.Open);
        if (msg.sender != job.client) revert Unauthorized();
        address provider = job.provider;
        uint104 budget = job.budget;
        if (provider == address(0)) revert ProviderNotSet();
        if (budget == 0) revert ZeroBudget();
        if (budget != expectedBudget) revert BudgetMismatch();
        if (block.timestamp >= job.expiredAt) revert WrongStatus();
        if (!job.agreed && !consents[provider]) revert ProviderHasNotAgreed(provider, budget);
        if (seatOf[provider] == address(0)) revert NoSeat(provider);
        _before(job.hook, jobId, FUND, optParams);
        job.status = JobStatus.Funded;
        job.fundedAt = uint40(block.timestamp);
        job.bond = _bondFor(budget);
        emit JobFunded(jobId, msg.sender, budget);
        _open(jobId, job);
        _after(job.hook, jobId, FUND, optParams);
    }

    /// @dev Enough for any tier.
    function _bondFor(uint256 budget) private view returns (uint104) {
        Parameters memory p = ESCROW.parameters();
        uint256 most;
        for (uint256 tier; tier < p.bondBps.length; ++tier) {
            if (p.bondBps[tier] > most) most = p.bondBps[tier];
        }
        uint256 bond = budget * most / FULL_BPS;
        if (bond > type(uint104).max) revert BudgetTooLarge(bond, type(uint104).max);
        return uint104(bond);
    }

    function _open(uint256 jobId, Kept storage job) private {
        Terms memory terms = _termsOf(jobId, job);
        JobId id = ESCROW.jobIdOf(terms);
        emit JobLinked(jobId, id);
        CREDIT.safeTransferFrom(msg.sender, address(this), terms.unitPrice);
        voiced = JobId.unwrap(id);
        ESCROW.openFromWallet(terms, Signatures("", "", ""));
        voiced = SILENT;
    }

    // ---------------------------------------------------------------- submit

    /// @inheritdoc IERC8183
    function submit(uint256 jobId, bytes32 deliverable, bytes calldata optParams) external {
        _submit(jobId, deliverable, optParams);
    }

    /// @inheritdoc IERC8183
    function submit(uint256 jobId, bytes32 deliverable) external {
        _submit(jobId, deliverable, "");
    }

    function _submit(uint256 jobId, bytes32 deliverable, bytes memory optParams) private nonReentrant {
        Kept storage job = _in(jobId, JobStatus.Funded);
        if (msg.sender != job.provider) revert Unauthorized();
        bytes memory data = abi.encode(deliverable, optParams);
        _before(job.hook, jobId, SUBMIT, data);
        job.status = JobStatus.Submitted;
        job.deliverable = deliverable;
        emit JobSubmitted(jobId, msg.sender, deliverable);
        _after(job.hook, jobId, SUBMIT, data);
    }

    // ---------------------------------------------------------------- complete

    /// @inheritdoc IERC8183
    function complete(uint256 jobId, bytes32 reason, bytes calldata optParams) external {
        _complete(jobId, reason, optParams);
    }

    /// @inheritdoc IERC8183
    function complete(uint256 jobId, bytes32 reason) external {
        _complete(jobId, reason, "");
    }

    function _complete(uint256 jobId, bytes32 reason, bytes memory optParams) private nonReentrant {
        Kept storage job = _in(jobId, JobStatus.Submitted);
        if (msg.sender != job.evaluator) revert Unauthorized();
        bytes memory data = abi.encode(reason, optParams);
        _before(job.hook, jobId, COMPLETE, data);
        job.status = JobStatus.Completed;
        emit JobCompleted(jobId, msg.sender, reason);
        emit PaymentReleased(jobId, job.provider, _pay(jobId, job, reason));
        _after(job.hook, jobId, COMPLETE, data);
    }

    /// @dev A final pass of the one unit that the provider's seat sends, which is what makes it pay at once.
    function _pay(uint256 jobId, Kept storage job, bytes32 reason) private returns (uint104 net) {
        Terms memory terms = _termsOf(jobId, job);
        JobId id = ESCROW.jobIdOf(terms);
        net = uint104(job.budget - uint256(job.budget) * ESCROW.jobOf(id).feeBps / FULL_BPS);
        Attestation memory pass = Attestation(id, Verdict.Pass, job.deliverable, 1, true, FULL_BPS, bytes32(0), reason);
        voiced = ESCROW.attestationDigest(pass);
        IERC8183Seat(terms.provider).settle(terms, pass, net);
        voiced = SILENT;
    }

    // ---------------------------------------------------------------- reject and expire

    /// @inheritdoc IERC8183
    function reject(uint256 jobId, bytes32 reason, bytes calldata optParams) external {
        _reject(jobId, reason, optParams);
    }

    /// @inheritdoc IERC8183
    function reject(uint256 jobId, bytes32 reason) external {
        _reject(jobId, reason, "");
    }

    function _reject(uint256 jobId, bytes32 reason, bytes memory optParams) private nonReentrant {
        Kept storage job = _known(jobId);
        JobStatus was = job.status;
        if (was > JobStatus.Submitted) revert WrongStatus();
        if (msg.sender != (was == JobStatus.Open ? job.client : job.evaluator)) revert Unauthorized();
        bytes memory data = abi.encode(reason, optParams);
        _before(job.hook, jobId, REJECT, data);
        job.status = JobStatus.Rejected;
        emit JobRejected(jobId, msg.sender, reason);
        if (was != JobStatus.Open) _refund(jobId, job);
        _after(job.hook, jobId, REJECT, data);
    }

    /// @inheritdoc IERC8183
    function claimRefund(uint256 jobId) external nonReentrant {
        Kept storage job = _known(jobId);
        if (job.status != JobStatus.Funded && job.status != JobStatus.Submitted) revert WrongStatus();
        if (block.timestamp < job.expiredAt) revert WrongStatus();
        job.status = JobStatus.Expired;
        emit JobExpired(jobId);
        _refund(jobId, job);
    }

    /// @dev Both sides agree on nothing, at any time; or somebody reclaimed the job in the escrow, and then the bond was the buyer's up to the price.
    function _refund(uint256 jobId, Kept storage job) private {
        Terms memory terms = _termsOf(jobId, job);
        JobId id = ESCROW.jobIdOf(terms);
        uint104 amount = job.budget;
        if (ESCROW.jobOf(id).state == JobState.Closed) {
            amount += job.bond < amount ? job.bond : amount;
        } else {
            Settlement memory nothing = Settlement(id, 0, uint40(block.timestamp));
            voiced = ESCROW.settlementDigest(nothing);
            ESCROW.agree(terms, nothing, Signatures("", "", ""));
            voiced = SILENT;
        }
        emit Refunded(jobId, job.client, amount);
        ESCROW.withdraw(job.client, amount);
    }

    // ---------------------------------------------------------------- hooks

    function _before(address hook, uint256 jobId, bytes4 selector, bytes memory data) private {
        if (hook != address(0)) IACPHook(hook).beforeAction{gas: HOOK_GAS}(jobId, selector, data);
    }

    function _after(address hook, uint256 jobId, bytes4 selector, bytes memory data) private {
        if (hook != address(0)) IACPHook(hook).afterAction{gas: HOOK_GAS}(jobId, selector, data);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IERC8183
    function getJob(uint256 jobId) external view returns (Job memory) {
        Kept storage job = _known(jobId);
        return Job(
            jobId,
            job.client,
            job.provider,
            job.evaluator,
            job.description,
            job.budget,
            job.expiredAt,
            job.status,
            job.hook
        );
    }

    /// @inheritdoc IERC8183
    function paymentToken() external view returns (address) {
        return address(CREDIT);
    }

    /// @inheritdoc IERC8183Adapter
    function escrow() external view returns (address) {
        return address(ESCROW);
    }

    /// @inheritdoc IERC8183Adapter
    function termsOf(uint256 jobId) external view returns (Terms memory) {
        Kept storage job = _known(jobId);
        if (job.fundedAt == 0) revert WrongStatus();
        return _termsOf(jobId, job);
    }

    /// @inheritdoc IERC1271
    /// @dev The escrow asks for what the adapter says as verifier. It never consents to be spent from by signature.
    function isValidSignature(bytes32 digest, bytes calldata) external view returns (bytes4) {
        return digest == voiced ? IERC1271.isValidSignature.selector : NOT_VALID;
    }

    function _known(uint256 jobId) private view returns (Kept storage job) {
        job = _jobs[jobId];
        if (job.client == address(0)) revert InvalidJob();
    }

    function _in(uint256 jobId, JobStatus status) private view returns (Kept storage job) {
        job = _known(jobId);
        if (job.status != status) revert WrongStatus();
    }

    /// @dev One unit at the price of the budget, from the moment of funding for as long as the escrow lets a job live.
    function _termsOf(uint256 jobId, Kept storage job) private view returns (Terms memory terms) {
        terms.buyer = address(this);
        terms.payer = address(this);
        terms.provider = seatOf[job.provider];
        terms.verifier = address(this);
        terms.order = bytes32(jobId);
        terms.spec = job.spec;
        terms.unitPrice = job.budget;
        terms.maxUnits = 1;
        terms.bond = job.bond;
        terms.openBy = job.fundedAt;
        terms.end = job.fundedAt + LIFE;
        terms.disputeWindow = WINDOW;
        terms.maxFeeBps = FULL_BPS;
        terms.nonce = uint48(jobId);
    }
}
