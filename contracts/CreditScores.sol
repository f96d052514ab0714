// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICreditScores} from "./interfaces/ICreditScores.sol";
import {ScorePacking, ScoreSlot} from "./libraries/ScoreSlot.sol";
import {Scoring} from "./libraries/Scoring.sol";
import {ClosedJob} from "./libraries/ClosedJob.sol";

contract CreditScores is ICreditScores {
    uint8 private constant BUYER = 0;
    uint8 private constant PROVIDER = 1;

    /// @inheritdoc ICreditScores
    address public immutable escrow;
    mapping(uint256 accountAndRole => ScoreSlot) private _slots;

    /// @param escrow_ Where the escrow is, or is going to be created: it has to know these scores from its own birth.
    constructor(address escrow_) {
        escrow = escrow_;
    }

    // ---------------------------------------------------------------- record

    /// @inheritdoc ICreditScores
    function record(address buyer, address payer, address provider, ClosedJob closed) external {
        if (msg.sender != escrow) revert CallerNotEscrow(msg.sender, escrow);
        if (closed.agreedAfterFail()) return;
        uint256 epoch = ScorePacking.epochOf(block.timestamp);
        ScoreSlot providerWas = _slots[_key(provider, PROVIDER)].decayedTo(epoch);

        uint256 payerTier;
        // A buyer whose word cannot change is not worth the load.
        if (payer == buyer || Scoring.deniedBy(closed) != 0) {
            ScoreSlot buyerWas = _slots[_key(buyer, BUYER)].decayedTo(epoch);
            if (payer == buyer) payerTier = buyerWas.tier();
            ScoreSlot buyerIs = Scoring.buyerAfter(buyerWas, payer == buyer, provider, providerWas.tier(), closed);
            _store(buyer, BUYER, buyerWas, buyerIs);
        }
        ScoreSlot providerIs = Scoring.providerAfter(providerWas, payer, payerTier, closed);
        _store(provider, PROVIDER, providerWas, providerIs);
    }

    /// @dev A word that only decayed says the same as the one that is stored.
    function _store(address account, uint8 role, ScoreSlot was, ScoreSlot is_) private {
        if (ScoreSlot.unwrap(was) != ScoreSlot.unwrap(is_)) _slots[_key(account, role)] = is_;
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc ICreditScores
    function scoreOf(address account, uint8 role) external view returns (uint16 scoreBps) {
        ScoreSlot slot = slotOf(account, role);
        return uint16(ScorePacking.shareBps(slot.credit(), slot.debits()));
    }

    /// @inheritdoc ICreditScores
    function componentsOf(address account, uint8 role) external view returns (Components memory) {
        ScoreSlot slot = slotOf(account, role);
        return Components({
            fulfilmentBps: uint16(ScorePacking.shareBps(slot.credit(), slot.fulfilmentDebit())),
            qualityBps: uint16(ScorePacking.shareBps(slot.credit(), slot.qualityDebit())),
            behaviourBps: uint16(ScorePacking.shareBps(slot.credit(), slot.behaviourDebit()))
        });
    }

    /// @inheritdoc ICreditScores
    function tierOf(address account) external view returns (uint8 tier) {
        return uint8(slotOf(account, PROVIDER).tier());
    }

    /// @inheritdoc ICreditScores
    function tierIn(address account, uint8 role) external view returns (uint8 tier) {
        return uint8(slotOf(account, role).tier());
    }

    /// @inheritdoc ICreditScores
    function standingOf(address account, uint8 role) external view returns (Standing memory) {
        ScoreSlot slot = slotOf(account, role);
        return Standing({
            credit: _atoms(slot.credit()),
            fulfilmentDebit: _atoms(slot.fulfilmentDebit()),
            qualityDebit: _atoms(slot.qualityDebit()),
            behaviourDebit: _atoms(slot.behaviourDebit())
        });
    }

    /// @inheritdoc ICreditScores
    function slotOf(address account, uint8 role) public view returns (ScoreSlot) {
        if (role > PROVIDER) revert NoSuchRole(role);
        return _slots[_key(account, role)].decayedTo(ScorePacking.epochOf(block.timestamp));
    }

    function _key(address account, uint8 role) private pure returns (uint256) {
        return uint256(uint160(account)) | uint256(role) << 160;
    }

    function _atoms(uint256 weight) private pure returns (uint104) {
        return uint104(weight * ScorePacking.WEIGHT_UNIT);
    }
}
