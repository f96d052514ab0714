// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {ArbiterPool} from "./arbitration/ArbiterPool.sol";
import {IArbitration} from "./interfaces/IArbitration.sol";
import {IJobEscrow} from "./interfaces/IJobEscrow.sol";
import {Median} from "./libraries/Median.sol";
import {SeatSet} from "./libraries/SeatSet.sol";
import {ClosedBy, Job, JobState} from "./types/Job.sol";
import {JobId} from "./types/JobId.sol";
import {Ruling as JobRuling} from "./types/Ruling.sol";
import {Terms} from "./types/Terms.sol";

/// @notice Disputes and their rounds. `ArbiterPool` has the arbiters and their stakes; `IArbitration` is the manual.
contract Arbitration is ArbiterPool {
    using SafeERC20 for IERC20;
    using SeatSet for uint256;

    uint256 private constant META_EVIDENCE = 0;
    uint16 private constant FULL_BPS = 10_000;
    uint256 private constant MAX_PANEL = 15;
    uint256 private constant MAX_APPEALS = 3;
    uint256 private constant MAX_SEATS_A_ROUND = 127;

    /// @dev One revealed vote.
    struct Vote {
        uint64 units;
        uint16 slashBps;
    }

    uint256 private _disputes;
    mapping(JobId job => uint256) private _disputeOfJob;
    mapping(uint256 disputeId => Case) private _cases;
    mapping(uint256 disputeId => mapping(uint256 round => Round)) private _rounds;
    mapping(uint256 disputeId => mapping(uint256 round => mapping(uint256 vote => Vote))) private _votes;
    mapping(uint256 disputeId => mapping(uint256 round => mapping(address arbiter => bytes32))) private _commitments;

    constructor(
        address escrow_,
        address owner_,
        Rules memory rules_,
        address[] memory named,
        string memory metaEvidence
    ) ArbiterPool(escrow_, owner_, rules_, named) {
        bool sound = rules_.panel > 0 && rules_.panel <= MAX_PANEL && rules_.appeals <= MAX_APPEALS
            && rules_.penalty <= rules_.stake && rules_.commitWindow > 0 && rules_.revealWindow > 0
            && rules_.executionWindow > 0 && rules_.unbonding >= rules_.commitWindow
            && _sizeOf(rules_.panel, rules_.appeals) <= MAX_SEATS_A_ROUND
            && rules_.feePerSeat <= type(uint104).max / MAX_SEATS_A_ROUND;
        if (!sound) revert RulesOutOfRange();
        emit MetaEvidence(META_EVIDENCE, metaEvidence);
    }

    // ---------------------------------------------------------------- bringing a dispute

    /// @inheritdoc IArbitration
    function createDispute(Terms calldata terms) external returns (uint256 disputeId) {
        JobId id = IJobEscrow(escrow).jobIdOf(terms);
        if (_disputeOfJob[id] != 0) revert DisputeKnown(_disputeOfJob[id]);
        Job memory job = IJobEscrow(escrow).jobOf(id);
        if (terms.arbiter != address(this) || job.state != JobState.Disputed) revert NotDisputed(id);
        if (terms.arbiterFee < arbitrationCost()) revert FeeTooSmall(terms.arbiterFee, arbitrationCost());
        uint256 end = block.timestamp + timeNeeded();
        if (end > job.deadline) revert TooLittleTime(end, job.deadline);

        disputeId = ++_disputes;
        _disputeOfJob[id] = disputeId;
        Case storage case_ = _cases[disputeId];
        case_.status = Status.Open;
        case_.job = id;
        case_.buyer = terms.buyer;
        case_.payer = terms.payer;
        case_.provider = terms.provider;
        case_.verifier = terms.verifier;
        case_.maxUnits = terms.maxUnits;
        case_.deadline = job.deadline;
        emit DisputeCreation(disputeId, escrow);
        emit Dispute(address(this), disputeId, META_EVIDENCE, disputeId);
        emit DisputeOpened(disputeId, id);
        _begin(disputeId, case_, _poolFor(case_), _rules.panel, terms.arbiterFee, address(0));
    }

    /// @inheritdoc IArbitration
    function submitEvidence(uint256 disputeId, string calldata evidence) external {
        Case storage case_ = _open(disputeId);
        if (msg.sender != case_.verifier) _requireParty(case_);
        emit Evidence(address(this), disputeId, msg.sender, evidence);
    }

    /// @dev The active arbiters but the parties of the job.
    function _poolFor(Case storage case_) private view returns (uint256 pool) {
        pool = _without(_without(_seats, case_.buyer), case_.payer);
        pool = _without(_without(pool, case_.provider), case_.verifier);
    }

    function _begin(uint256 disputeId, Case storage case_, uint256 pool, uint256 size, uint104 fee, address appellant)
        private
    {
        uint256 count = pool.count();
        if (count < size) revert TooFewArbiters(count, size);
        uint8 number = case_.rounds++;
        Round storage round = _rounds[disputeId][number];
        round.lotsBlock = uint40(block.number);
        round.commitBy = uint40(block.timestamp + _rules.commitWindow);
        round.revealBy = round.commitBy + _rules.revealWindow;
        round.appealBy = round.revealBy + _rules.appealWindow;
        round.size = uint8(size);
        round.fee = fee;
        round.appellant = appellant;
        round.pool = pool;
        emit RoundBegun(disputeId, number, round.commitBy, round.revealBy, round.appealBy);
    }

    function _sizeOf(uint256 panel, uint256 round) private pure returns (uint256) {
        return (panel + 1 << round) - 1;
    }

    // ---------------------------------------------------------------- lots and votes

    /// @inheritdoc IArbitration
    function draw(uint256 disputeId) external {
        (uint8 number, Round storage round) = _running(disputeId);
        if (round.seated != 0) revert AlreadyDrawn(disputeId, number);
        // Whoever is seated has half of the window to commit, at least.
        uint256 drawBy = round.commitBy - _rules.commitWindow / 2;
        if (block.timestamp > drawBy) revert TooLate(block.timestamp, drawBy);
        if (block.number <= round.lotsBlock) revert TooEarly(block.number, uint256(round.lotsBlock) + 1);
        bytes32 hash = blockhash(round.lotsBlock);
        if (hash == 0) {
            round.lotsBlock = uint40(block.number);
            return;
        }
        uint256 seated = round.pool.draw(round.pool.count(), round.size, keccak256(abi.encode(hash, disputeId, number)));
        round.seated = seated;
        _sitDown(seated);
        emit PanelDrawn(disputeId, number, seated);
    }

    /// @inheritdoc IArbitration
    function commit(uint256 disputeId, bytes32 commitment) external {
        (uint8 number, Round storage round) = _running(disputeId);
        if (block.timestamp > round.commitBy) revert TooLate(block.timestamp, round.commitBy);
        _requireSeated(round);
        _commitments[disputeId][number][msg.sender] = commitment;
        emit VoteCommitted(disputeId, number, msg.sender);
    }

    /// @inheritdoc IArbitration
    function reveal(uint256 disputeId, uint64 units, uint16 slashBps, bytes32 salt) external {
        (uint8 number, Round storage round) = _running(disputeId);
        if (block.timestamp <= round.commitBy) revert TooEarly(block.timestamp, round.commitBy);
        if (block.timestamp > round.revealBy) revert TooLate(block.timestamp, round.revealBy);
        uint256 seat = _requireSeated(round);
        if (round.revealed.has(seat)) revert AlreadyVoted(msg.sender);
        bytes32 commitment = _commitments[disputeId][number][msg.sender];
        bytes32 revealed = commitmentOf(disputeId, number, msg.sender, units, slashBps, salt);
        if (commitment != revealed) revert WrongReveal(commitment, revealed);
        uint64 maxUnits = _cases[disputeId].maxUnits;
        if (units > maxUnits) revert VoteOutOfRange(units, maxUnits);
        if (slashBps > FULL_BPS) revert VoteOutOfRange(slashBps, FULL_BPS);
        round.revealed |= 1 << seat;
        _votes[disputeId][number][round.votes++] = Vote(units, slashBps);
        emit VoteRevealed(disputeId, number, msg.sender, units, slashBps);
    }

    function _requireSeated(Round storage round) private view returns (uint256 seat) {
        seat = _arbiters[msg.sender].seat;
        if (!round.seated.has(seat) || _seatedAt[seat] != msg.sender) revert NotSeated(msg.sender);
    }

    // ---------------------------------------------------------------- appeal

    /// @inheritdoc IArbitration
    function appeal(uint256 disputeId) external {
        Case storage case_ = _open(disputeId);
        _requireParty(case_);
        uint256 number = case_.rounds;
        if (number > _rules.appeals) revert NoMoreAppeals(_rules.appeals);
        Round storage last = _rounds[disputeId][number - 1];
        if (block.timestamp <= last.revealBy) revert TooEarly(block.timestamp, last.revealBy);
        if (block.timestamp > last.appealBy) revert TooLate(block.timestamp, last.appealBy);
        if (last.votes == 0) revert NoVotes(disputeId);
        uint256 size = _sizeOf(_rules.panel, number);
        // Who sat before gives way to others, as long as there are enough.
        uint256 pool = _poolFor(case_);
        uint256 fresh = pool;
        for (uint256 i; i < number; ++i) {
            fresh &= ~_rounds[disputeId][i].seated;
        }
        uint104 cost = appealCost(disputeId);
        _begin(disputeId, case_, fresh.count() < size ? pool : fresh, size, cost, msg.sender);
        emit AppealDecision(disputeId, escrow);
        IERC20(credit).safeTransferFrom(msg.sender, address(this), cost);
    }

    // ---------------------------------------------------------------- the end

    /// @inheritdoc IArbitration
    function executeRuling(uint256 disputeId, Terms calldata terms) external {
        Case storage case_ = _open(disputeId);
        uint256 over = _overAt(disputeId, case_);
        if (block.timestamp <= over) revert TooEarly(block.timestamp, over);
        (bool decided, uint64 units, uint16 slashBps) = rulingOf(disputeId);
        if (!decided) revert NoVotes(disputeId);
        case_.status = Status.Ruled;
        emit Ruling(escrow, disputeId, _oneWord(units, slashBps));
        _settleRounds(disputeId, case_, true, false);
        // Whoever lost pays the arbiters.
        uint16 costBps = slashBps > 0 ? FULL_BPS : 0;
        IJobEscrow(escrow).rule(terms, JobRuling(case_.job, units, slashBps, costBps), "");
        IJobEscrow(escrow).withdraw(address(this), terms.arbiterFee);
    }

    /// @inheritdoc IArbitration
    function close(uint256 disputeId) external {
        Case storage case_ = _open(disputeId);
        Job memory job = IJobEscrow(escrow).jobOf(case_.job);
        bool ended = job.state != JobState.Disputed;
        (bool decided,,) = rulingOf(disputeId);
        bool silent = !decided && block.timestamp > _overAt(disputeId, case_);
        if (!ended && !silent && block.timestamp <= case_.deadline) revert StillOpen(disputeId);
        case_.status = Status.Void;
        emit DisputeVoid(disputeId);
        _settleRounds(disputeId, case_, false, ended && job.closedBy == ClosedBy.Agreed);
    }

    /// @dev After which second nothing can change the ruling any more.
    function _overAt(uint256 disputeId, Case storage case_) private view returns (uint256) {
        Round storage last = _rounds[disputeId][case_.rounds - 1];
        bool appealable = case_.rounds <= _rules.appeals && last.votes > 0;
        return appealable ? last.appealBy : last.revealBy;
    }

    /// @param ruled Whether the first round's fee was earned.
    /// @param cutShort Whether the parties ended the job themselves, so that nobody had to vote any more.
    function _settleRounds(uint256 disputeId, Case storage case_, bool ruled, bool cutShort) private {
        uint8 last = case_.rounds - 1;
        for (uint8 i; i <= last; ++i) {
            Round storage round = _rounds[disputeId][i];
            bool penalise = block.timestamp > round.revealBy && !(cutShort && i == last);
            _settleRound(disputeId, i, round, i > 0 || ruled ? round.fee : 0, penalise);
        }
    }

    /// @dev Fee and penalties go to those who revealed. If nobody did, they go to whoever paid for the round, and of the first to the treasury.
    function _settleRound(uint256 disputeId, uint8 number, Round storage round, uint104 fee, bool penalise) private {
        uint256 silent = round.seated & ~round.revealed;
        uint104 pot = fee;
        for (uint256 seat; silent >> seat != 0; ++seat) {
            if (!silent.has(seat)) continue;
            (address account, uint104 taken) = _standUp(seat, penalise ? _rules.penalty : 0);
            pot += taken;
            if (taken > 0) emit ArbiterPenalised(account, disputeId, number, taken);
        }
        uint256 revealed = round.revealed;
        if (revealed == 0) return _pay(round.appellant, pot);
        uint104 share = pot / round.votes;
        for (uint256 seat; revealed >> seat != 0; ++seat) {
            if (!revealed.has(seat)) continue;
            (address account,) = _standUp(seat, 0);
            _arbiters[account].fees += share;
        }
        _pay(address(0), pot - share * round.votes);
    }

    /// @param to Zero for the treasury of the escrow.
    function _pay(address to, uint104 amount) private {
        if (amount == 0) return;
        IERC20(credit).safeTransfer(to == address(0) ? IJobEscrow(escrow).treasury() : to, amount);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IArbitration
    function arbitrationCost() public view returns (uint104) {
        return _rules.feePerSeat * _rules.panel;
    }

    /// @inheritdoc IArbitration
    function appealCost(uint256 disputeId) public view returns (uint104) {
        return uint104(_rules.feePerSeat * _sizeOf(_rules.panel, _cases[disputeId].rounds));
    }

    /// @inheritdoc IArbitration
    function appealPeriod(uint256 disputeId) external view returns (uint256 start, uint256 end) {
        Case storage case_ = _cases[disputeId];
        if (case_.status != Status.Open || case_.rounds > _rules.appeals) return (0, 0);
        Round storage last = _rounds[disputeId][case_.rounds - 1];
        return (uint256(last.revealBy) + 1, last.appealBy);
    }

    /// @inheritdoc IArbitration
    function timeNeeded() public view returns (uint256) {
        uint256 vote = uint256(_rules.commitWindow) + _rules.revealWindow;
        return (vote + _rules.appealWindow) * _rules.appeals + vote + _rules.executionWindow;
    }

    /// @inheritdoc IArbitration
    function rulingOf(uint256 disputeId) public view returns (bool decided, uint64 units, uint16 slashBps) {
        for (uint256 i = _cases[disputeId].rounds; i > 0; --i) {
            uint256 count = _rounds[disputeId][i - 1].votes;
            if (count == 0) continue;
            uint256[] memory byUnits = new uint256[](count);
            uint256[] memory bySlash = new uint256[](count);
            for (uint256 j; j < count; ++j) {
                Vote memory vote = _votes[disputeId][i - 1][j];
                (byUnits[j], bySlash[j]) = (vote.units, vote.slashBps);
            }
            return (true, uint64(Median.lower(byUnits)), uint16(Median.lower(bySlash)));
        }
    }

    /// @inheritdoc IArbitration
    function currentRuling(uint256 disputeId) external view returns (uint256) {
        (bool decided, uint64 units, uint16 slashBps) = rulingOf(disputeId);
        return decided ? _oneWord(units, slashBps) : 0;
    }

    function _oneWord(uint64 units, uint16 slashBps) private pure returns (uint256) {
        return 1 + (uint256(units) << 16) + slashBps;
    }

    /// @inheritdoc IArbitration
    function commitmentOf(uint256 disputeId, uint8 round, address arbiter, uint64 units, uint16 slashBps, bytes32 salt)
        public
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(disputeId, round, arbiter, units, slashBps, salt));
    }

    /// @inheritdoc IArbitration
    function caseOf(uint256 disputeId) external view returns (Case memory) {
        return _cases[disputeId];
    }

    /// @inheritdoc IArbitration
    function roundOf(uint256 disputeId, uint8 round) external view returns (Round memory) {
        return _rounds[disputeId][round];
    }

    /// @inheritdoc IArbitration
    function panelOf(uint256 disputeId, uint8 round) external view returns (address[] memory) {
        return _accountsIn(_rounds[disputeId][round].seated);
    }

    /// @inheritdoc IArbitration
    function disputeOfJob(JobId job) external view returns (uint256) {
        return _disputeOfJob[job];
    }

    // ---------------------------------------------------------------- what calls ask

    function _open(uint256 disputeId) private view returns (Case storage case_) {
        case_ = _cases[disputeId];
        if (case_.status == Status.None) revert NoSuchDispute(disputeId);
        if (case_.status != Status.Open) revert WrongStatus(disputeId, case_.status);
    }

    function _running(uint256 disputeId) private view returns (uint8 number, Round storage round) {
        number = _open(disputeId).rounds - 1;
        round = _rounds[disputeId][number];
    }

    function _requireParty(Case storage case_) private view {
        if (msg.sender != case_.buyer && msg.sender != case_.payer && msg.sender != case_.provider) {
            revert CallerNotParty(msg.sender);
        }
    }
}
