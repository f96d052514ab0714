// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IStandings} from "../interfaces/IStandings.sol";
import {ScorePacking, ScoreSlot} from "../libraries/ScoreSlot.sol";
import {Scoring} from "../libraries/Scoring.sol";
import {ClosedJob} from "../libraries/ClosedJob.sol";

/// @notice What `open` asks of a provider, and what a close changes of both sides' scores. The words stand here because a call to another contract at each
/// opening and each close would cost more than the scoring itself; `CreditScores` reads them, `ScoreSlot` and `Scoring` hold the formulas.
abstract contract Standings is IStandings {
    uint8 internal constant BUYER = 0;
    uint8 internal constant PROVIDER = 1;

    /// @dev The one bit of a provider's word that is no part of its score: the registry lists it.
    uint256 private constant LISTED = 1 << 255;

    /// @inheritdoc IStandings
    address public immutable registry;
    mapping(uint256 accountAndRole => ScoreSlot) private _standings;

    constructor(address registry_) {
        if (registry_ == address(0)) revert ZeroAddress();
        registry = registry_;
    }

    /// @inheritdoc IStandings
    function setListed(address provider, bool listed) external {
        if (msg.sender != registry) revert CallerNotRegistry(msg.sender, registry);
        uint256 key = _key(provider, PROVIDER);
        uint256 score = ScoreSlot.unwrap(_standings[key]) & ~LISTED;
        _standings[key] = ScoreSlot.wrap(listed ? score | LISTED : score);
    }

    /// @inheritdoc IStandings
    function isListed(address provider) external view returns (bool) {
        return ScoreSlot.unwrap(_standings[_key(provider, PROVIDER)]) & LISTED != 0;
    }

    /// @inheritdoc IStandings
    function scoreSlotOf(address account, uint8 role) external view returns (ScoreSlot) {
        return _score(_standings[_key(account, role)]);
    }

    /// @dev Reverts if the registry does not list the provider; else its tier now.
    function _requireListed(address provider) internal view returns (uint256 tier) {
        ScoreSlot word = _standings[_key(provider, PROVIDER)];
        if (ScoreSlot.unwrap(word) & LISTED == 0) revert ProviderNotActive(provider);
        return _score(word).decayedTo(_epoch()).tier();
    }

    /// @dev Scores a closed job, once. Saturates, makes no calls, never reverts.
    function _record(address buyer, address payer, address provider, ClosedJob closed) internal {
        if (closed.agreedAfterFail()) return;
        uint256 epoch = _epoch();
        uint256 providerKey = _key(provider, PROVIDER);
        ScoreSlot providerWord = _standings[providerKey];
        ScoreSlot providerWas = _score(providerWord).decayedTo(epoch);

        uint256 payerTier;
        // A buyer whose word cannot change is not worth the load.
        if (payer == buyer || Scoring.deniedBy(closed) != 0) {
            uint256 buyerKey = _key(buyer, BUYER);
            ScoreSlot buyerWas = _standings[buyerKey].decayedTo(epoch);
            if (payer == buyer) payerTier = buyerWas.tier();
            ScoreSlot buyerIs = Scoring.buyerAfter(buyerWas, payer == buyer, provider, providerWas.tier(), closed);
            // A word that only decayed says the same as the one that is stored.
            if (ScoreSlot.unwrap(buyerWas) != ScoreSlot.unwrap(buyerIs)) _standings[buyerKey] = buyerIs;
        }
        uint256 was = ScoreSlot.unwrap(providerWas);
        uint256 is_ = ScoreSlot.unwrap(Scoring.providerAfter(providerWas, payer, payerTier, closed));
        if (was != is_) _standings[providerKey] = ScoreSlot.wrap(is_ | (ScoreSlot.unwrap(providerWord) & LISTED));
    }

    function _epoch() private view returns (uint256) {
        return ScorePacking.epochOf(block.timestamp);
    }

    function _key(address account, uint8 role) private pure returns (uint256) {
        return uint256(uint160(account)) | uint256(role) << 160;
    }

    function _score(ScoreSlot word) private pure returns (ScoreSlot) {
        return ScoreSlot.wrap(ScoreSlot.unwrap(word) & ~LISTED);
    }
}
