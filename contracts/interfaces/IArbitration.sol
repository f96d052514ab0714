// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {JobId} from "../types/JobId.sol";
import {Terms} from "../types/Terms.sol";

/// @title A panel of bonded arbiters behind one arbiter address.
/// @notice A disputed job that names this contract as its arbiter is brought here by anyone (`createDispute`). Lots pick a panel; its arbiters commit to a vote and
/// reveal it; a party may appeal to a larger panel; then anyone carries the ruling out (`executeRuling`), and this contract, as the job's arbiter, calls the escrow's `rule`.
///
/// **Rounds.** Round r seats 2^r · (panel + 1) − 1 arbiters: 3, 7, 15 … From its start a round has `commitWindow` for the lots and the commitments, `revealWindow` for the
/// votes, `appealWindow` for an appeal. A dispute is refused unless all rounds fit before the job's deadline. Lots are drawn by the hash of the block of the round's
/// start, which nobody knows in that block; parties of the job, and who sat in an earlier round as long as enough others are there, are not seated.
///
/// **Votes.** A vote is units payable and a share of the bond to slash. The ruling is the lower median of each among the votes revealed: with single-peaked
/// preferences no arbiter can move it towards its own view by voting anything else (Black 1948; Moulin 1980), and one wild vote moves it no further than to its
/// neighbour. Who pays the arbiters follows: the provider's bond if something is slashed, the payer's escrow otherwise.
///
/// **Defaults.** A round in which nobody reveals changes nothing: the ruling of the round before stands; if no round has a vote, there is no ruling, and the escrow's
/// own default ends the job (what was accepted is paid, nothing is slashed, the arbiters' fee goes back). A ruling that nobody carries out in time is void.
///
/// **Money.** Who revealed shares the round's fee evenly, whatever it voted and whatever the ruling is: the job's arbiterFee for the first round, the appellant's payment
/// for each other. Whoever was seated and did not reveal loses `penalty` of its stake to those who did. If nobody did, the appellant gets its payment and the penalties, of the first round the escrow's treasury.
///
/// Shaped after ERC-792 (`createDispute`, `arbitrationCost`, `appeal`, `appealCost`, `currentRuling`, `Ruling`) and ERC-1497 (`MetaEvidence`, `Dispute`, `Evidence`), with
/// two differences that a job needs: fees are credits of the job, not ether, and a ruling is two numbers, not a choice. `CourtArbiter` puts a court of
/// exactly ERC-792 in this contract's place.
interface IArbitration {
    /// @notice Fixed at deployment. Times in seconds, amounts in credits.
    struct Rules {
        uint104 stake;
        /// For each seat of a round.
        uint104 feePerSeat;
        /// Lost by whoever is seated and does not reveal.
        uint104 penalty;
        /// Seats of the first round.
        uint8 panel;
        /// Appeals that a dispute can have.
        uint8 appeals;
        uint32 commitWindow;
        uint32 revealWindow;
        uint32 appealWindow;
        /// From the end of the last window to the job's deadline there has to be so much, for somebody to carry the ruling out.
        uint32 executionWindow;
        /// From leaving to the release of the stake.
        uint32 unbonding;
    }

    struct Arbiter {
        /// Named by the owner: may join.
        bool named;
        /// Can be seated.
        bool active;
        uint8 seat;
        /// When it left, in UTC seconds; zero while it is active or away.
        uint40 leftAt;
        /// Rounds that it sits in and that are not settled.
        uint16 sitting;
        uint104 stake;
        /// Fees and penalties to withdraw.
        uint104 fees;
    }

    enum Status {
        None,
        /// Rounds are going on, or over and not carried out.
        Open,
        /// The ruling was carried out.
        Ruled,
        /// It ended without a ruling of this contract.
        Void
    }

    struct Case {
        Status status;
        /// Number of rounds begun.
        uint8 rounds;
        JobId job;
        address buyer;
        address payer;
        address provider;
        address verifier;
        uint64 maxUnits;
        /// Until when the escrow takes the ruling.
        uint40 deadline;
    }

    struct Round {
        /// Its lots hang on this block's hash.
        uint40 lotsBlock;
        uint40 commitBy;
        uint40 revealBy;
        uint40 appealBy;
        uint8 size;
        /// Arbiters who revealed.
        uint8 votes;
        uint104 fee;
        /// Who paid for the round; zero for the first.
        address appellant;
        /// Seats from which the lots are drawn.
        uint256 pool;
        /// Seats drawn; zero before.
        uint256 seated;
        uint256 revealed;
    }

    // ---------------------------------------------------------------- events

    event ArbiterNamed(address indexed arbiter);
    event ArbiterDismissed(address indexed arbiter);
    event ArbiterJoined(address indexed arbiter, uint8 seat, uint104 stake);
    event ArbiterLeft(address indexed arbiter, uint40 at);
    event StakeReleased(address indexed arbiter, uint104 stake);
    event FeesWithdrawn(address indexed arbiter, address indexed to, uint104 amount);
    event ArbiterPenalised(address indexed arbiter, uint256 indexed disputeId, uint8 round, uint104 amount);

    /// ERC-792. `arbitrable` is the escrow.
    event DisputeCreation(uint256 indexed disputeId, address indexed arbitrable);
    event AppealDecision(uint256 indexed disputeId, address indexed arbitrable);
    event Ruling(address indexed arbitrable, uint256 indexed disputeId, uint256 ruling);
    /// ERC-1497. The group of a dispute's evidence is the dispute.
    event MetaEvidence(uint256 indexed metaEvidenceId, string evidence);
    event Dispute(
        address indexed arbitrator, uint256 indexed disputeId, uint256 metaEvidenceId, uint256 evidenceGroupId
    );
    event Evidence(address indexed arbitrator, uint256 indexed evidenceGroupId, address indexed party, string evidence);

    event DisputeOpened(uint256 indexed disputeId, JobId indexed job);
    event RoundBegun(uint256 indexed disputeId, uint8 round, uint40 commitBy, uint40 revealBy, uint40 appealBy);
    event PanelDrawn(uint256 indexed disputeId, uint8 round, uint256 seated);
    event VoteCommitted(uint256 indexed disputeId, uint8 round, address indexed arbiter);
    event VoteRevealed(uint256 indexed disputeId, uint8 round, address indexed arbiter, uint64 units, uint16 slashBps);
    event DisputeVoid(uint256 indexed disputeId);

    // ---------------------------------------------------------------- errors

    error CallerNotOwner(address caller, address owner);
    error CallerNotParty(address caller);
    error NotNamed(address arbiter);
    error AlreadyNamed(address arbiter);
    error AlreadyJoined(address arbiter);
    error NotJoined(address arbiter);
    error StillUnbonding(uint256 time, uint256 limit);
    error StillSitting(address arbiter, uint256 rounds);
    error RulesOutOfRange();
    error ZeroAddress();
    /// The job is not disputed, or names another arbiter.
    error NotDisputed(JobId job);
    error DisputeKnown(uint256 disputeId);
    error NoSuchDispute(uint256 disputeId);
    error WrongStatus(uint256 disputeId, Status status);
    error FeeTooSmall(uint104 fee, uint256 cost);
    /// The rounds end later than the escrow takes a ruling.
    error TooLittleTime(uint256 end, uint256 deadline);
    error TooFewArbiters(uint256 arbiters, uint256 needed);
    error TooEarly(uint256 time, uint256 limit);
    error TooLate(uint256 time, uint256 limit);
    error AlreadyDrawn(uint256 disputeId, uint256 round);
    error NotSeated(address arbiter);
    error AlreadyVoted(address arbiter);
    error WrongReveal(bytes32 commitment, bytes32 revealed);
    error VoteOutOfRange(uint256 value, uint256 limit);
    error NoMoreAppeals(uint256 limit);
    /// There is nothing to rule.
    error NoVotes(uint256 disputeId);
    /// The dispute is not over: it can still be ruled.
    error StillOpen(uint256 disputeId);

    // ---------------------------------------------------------------- arbiters

    /// @notice A named arbiter stakes, from its wallet by its allowance, and can be seated in rounds that begin from now on.
    function join() external;

    /// @notice The caller is seated in no round that begins from now on. It has to end those that it sits in.
    function leave() external;

    /// @notice Pays the caller's stake back, once it has left, the unbonding period is over and it sits in no round.
    function release() external;

    function withdrawFees(address to) external;

    /// @notice Names an arbiter. The owner, which is a timelock.
    function name(address arbiter) external;

    /// @notice Un-names an arbiter, which then leaves. The owner.
    function dismiss(address arbiter) external;

    // ---------------------------------------------------------------- a dispute

    /// @notice Brings a disputed job that names this contract as arbiter. Anyone may call.
    function createDispute(Terms calldata terms) external returns (uint256 disputeId);

    /// @notice A party, or the job's verifier, tells where its evidence is.
    function submitEvidence(uint256 disputeId, string calldata evidence) external;

    /// @notice Draws the panel of the running round, from the next block on and in the first half of `commitWindow`. Anyone may call.
    /// @dev If 256 blocks have passed since the round began, its hash is lost, and the first call only ties the lots to a new block.
    function draw(uint256 disputeId) external;

    /// @notice A seated arbiter commits to its vote by `commitmentOf`. It may be replaced until the commitments are due.
    function commit(uint256 disputeId, bytes32 commitment) external;

    /// @notice Shows the vote that was committed.
    function reveal(uint256 disputeId, uint64 units, uint16 slashBps, bytes32 salt) external;

    /// @notice Buyer, payer or provider takes the dispute to a larger panel, for `appealCost` from its wallet by its allowance, whichever way it ends.
    function appeal(uint256 disputeId) external;

    /// @notice Rules in the escrow, once the last round's time is over. Pays fees and takes penalties. Anyone may call.
    function executeRuling(uint256 disputeId, Terms calldata terms) external;

    /// @notice Ends a dispute without a ruling: nobody voted, the job ended otherwise, or its deadline is over. Takes penalties for rounds that ran to
    /// their end, but not of who had not voted when the parties agreed. Anyone may call.
    function close(uint256 disputeId) external;

    // ---------------------------------------------------------------- views

    /// @notice What `Terms.arbiterFee` has to be at least.
    function arbitrationCost() external view returns (uint104);
    function appealCost(uint256 disputeId) external view returns (uint104);
    /// @notice When an appeal is possible, in UTC seconds; zeros if none is.
    function appealPeriod(uint256 disputeId) external view returns (uint256 start, uint256 end);
    /// @notice What `Terms.rulingWindow` has to be at least if the dispute is brought at once, in seconds.
    function timeNeeded() external view returns (uint256);
    /// @notice The ruling as it stands; `decided` is false if there is none.
    function rulingOf(uint256 disputeId) external view returns (bool decided, uint64 units, uint16 slashBps);
    /// @notice The same in one word, as ERC-792 has it: 0 if there is none, else 1 + units · 2^16 + slashBps.
    function currentRuling(uint256 disputeId) external view returns (uint256);
    function commitmentOf(uint256 disputeId, uint8 round, address arbiter, uint64 units, uint16 slashBps, bytes32 salt)
        external
        pure
        returns (bytes32);
    function caseOf(uint256 disputeId) external view returns (Case memory);
    function roundOf(uint256 disputeId, uint8 round) external view returns (Round memory);
    function panelOf(uint256 disputeId, uint8 round) external view returns (address[] memory);
    /// @notice Zero if the job was never brought.
    function disputeOfJob(JobId job) external view returns (uint256 disputeId);
    function arbiterOf(address account) external view returns (Arbiter memory);
    /// @notice Those who can be seated, by seat.
    function arbiters() external view returns (address[] memory);
    function rules() external view returns (Rules memory);
    function escrow() external view returns (address);
    function credit() external view returns (address);
    function owner() external view returns (address);
}
