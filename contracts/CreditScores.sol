// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICreditScores} from "./interfaces/ICreditScores.sol";
import {IJobEscrow} from "./interfaces/IJobEscrow.sol";
import {ScorePacking, ScoreSlot} from "./libraries/ScoreSlot.sol";

contract CreditScores is ICreditScores {
    uint8 private constant PROVIDER = 1;

    /// @inheritdoc ICreditScores
    address public immutable escrow;

    /// @param escrow_ Where the words are kept.
    constructor(address escrow_) {
        escrow = escrow_;
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
        return IJobEscrow(escrow).scoreSlotOf(account, role).decayedTo(ScorePacking.epochOf(block.timestamp));
    }

    function _atoms(uint256 weight) private pure returns (uint104) {
        return uint104(weight * ScorePacking.WEIGHT_UNIT);
    }
}
