// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICreditScores} from "./interfaces/ICreditScores.sol";
import {ClosedJob} from "./types/ClosedJob.sol";
import {ClosedBy, Outcome} from "./types/Job.sol";
import {JobId} from "./types/JobId.sol";

contract CreditScores is ICreditScores {
    /// @dev What a payer and a provider have earned each other since `since`.
    struct Pair {
        uint104 earned;
        uint40 since;
    }

    uint8 private constant BUYER = 0;
    uint8 private constant PROVIDER = 1;
    uint256 private constant BPS = 10_000;

    /// @inheritdoc ICreditScores
    uint104 public constant PRIOR = 1e18;
    /// @inheritdoc ICreditScores
    uint16 public constant NOMINAL_FEE_BPS = 100;
    /// @inheritdoc ICreditScores
    uint40 public constant HALF_LIFE = 90 days;
    /// @inheritdoc ICreditScores
    uint104 public constant PAIR_CAP = 5e18;
    /// @inheritdoc ICreditScores
    uint40 public constant PAIR_PERIOD = 30 days;

    /// @inheritdoc ICreditScores
    address public immutable escrow;
    mapping(address account => mapping(uint8 role => Standing)) private _standings;
    mapping(address payer => mapping(address provider => Pair)) private _pairs;

    /// @param escrow_ Where the escrow is, or is going to be created: it has to know these scores from its own birth.
    constructor(address escrow_) {
        escrow = escrow_;
    }

    // ---------------------------------------------------------------- record

    /// @inheritdoc ICreditScores
    function record(ClosedJob calldata closed) external {
        if (msg.sender != escrow) revert CallerNotEscrow(msg.sender, escrow);
        if (closed.cause == ClosedBy.Agreed && closed.outcome == Outcome.Fail) return;

        uint256 undelivered = uint256(closed.value - closed.paid) * NOMINAL_FEE_BPS / BPS;
        uint256 earned = _earn(closed.payer, closed.provider, uint256(closed.fee) * closed.qualityBps / BPS);
        uint256 lost = uint256(closed.fee) * (BPS - closed.qualityBps) / BPS + (closed.failed ? undelivered : 0);
        _change(closed.provider, PROVIDER, closed.job, earned, lost);

        bool deniedPass = closed.cause == ClosedBy.DisputedByDefault && closed.outcome == Outcome.Pass;
        uint256 buyerEarned = closed.payer == closed.buyer ? earned : 0;
        _change(closed.buyer, BUYER, closed.job, buyerEarned, deniedPass ? undelivered : 0);
    }

    /// @dev How much of `fee` still counts for this pair in this period.
    function _earn(address payer, address provider, uint256 fee) private returns (uint256 counted) {
        if (fee == 0) return 0;
        Pair memory pair = _pairs[payer][provider];
        if (block.timestamp >= uint256(pair.since) + PAIR_PERIOD) pair = Pair(0, uint40(block.timestamp));
        uint256 left = PAIR_CAP - pair.earned;
        counted = fee < left ? fee : left;
        pair.earned += uint104(counted);
        _pairs[payer][provider] = pair;
    }

    function _change(address account, uint8 role, JobId job, uint256 earned, uint256 lost) private {
        if (earned == 0 && lost == 0) return;
        Standing memory standing = _decayed(_standings[account][role]);
        standing.credit = _addSaturating(standing.credit, earned);
        standing.debit = _addSaturating(standing.debit, lost);
        _standings[account][role] = standing;
        emit ScoreChanged(
            account, role, JobId.unwrap(job), _score(standing), standing.credit, standing.debit, standing.at
        );
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc ICreditScores
    function scoreOf(address account, uint8 role) external view returns (uint16 scoreBps) {
        return _score(standingOf(account, role));
    }

    /// @inheritdoc ICreditScores
    function tierOf(address account) external view returns (uint8 tier) {
        Standing memory standing = standingOf(account, PROVIDER);
        uint16 score = _score(standing);
        if (score >= 9_000 && standing.credit >= 100e18) return 3;
        if (score >= 7_500 && standing.credit >= 10e18) return 2;
        if (score >= 6_000 && standing.credit >= 1e18) return 1;
        return 0;
    }

    /// @inheritdoc ICreditScores
    function standingOf(address account, uint8 role) public view returns (Standing memory) {
        if (role > PROVIDER) revert NoSuchRole(role);
        return _decayed(_standings[account][role]);
    }

    // ---------------------------------------------------------------- arithmetic

    function _score(Standing memory standing) private pure returns (uint16) {
        uint256 good = uint256(standing.credit) + PRIOR;
        return uint16(BPS * good / (good + standing.debit + PRIOR));
    }

    function _decayed(Standing memory standing) private view returns (Standing memory) {
        uint256 elapsed = block.timestamp - standing.at;
        return Standing(
            _decayedDown(standing.credit, elapsed), _decayedDown(standing.debit, elapsed), uint40(block.timestamp)
        );
    }

    function _decayedDown(uint104 weight, uint256 elapsed) private pure returns (uint104) {
        uint256 halved = uint256(weight) >> (elapsed / HALF_LIFE);
        return uint104(halved - halved * (elapsed % HALF_LIFE) / (2 * HALF_LIFE));
    }

    function _addSaturating(uint104 weight, uint256 more) private pure returns (uint104) {
        uint256 sum = weight + more;
        return sum > type(uint104).max ? type(uint104).max : uint104(sum);
    }
}
