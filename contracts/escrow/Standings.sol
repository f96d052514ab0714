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
    mapping(uint256 accountAndRole => Standing) private _standings;

    /// @dev A word by reference, so that its place is hashed once a close.
    struct Standing {
        ScoreSlot word;
    }

    constructor(address registry_) {
        if (registry_ == address(0)) revert ZeroAddress();
        registry = registry_;
    }

    /// @inheritdoc IStandings
    function setListed(address provider, bool listed) external {
        if (msg.sender != registry) revert CallerNotRegistry(msg.sender, registry);
        Standing storage standing = _standing(provider, PROVIDER);
        uint256 score = ScoreSlot.unwrap(standing.word) & ~LISTED;
        standing.word = ScoreSlot.wrap(listed ? score | LISTED : score);
    }

    /// @inheritdoc IStandings
    function isListed(address provider) external view returns (bool) {
        return ScoreSlot.unwrap(_standing(provider, PROVIDER).word) & LISTED != 0;
    }

    /// @inheritdoc IStandings
    function scoreSlotOf(address account, uint8 role) external view returns (ScoreSlot) {
        return _score(_standing(account, role).word);
    }

    /// @dev Reverts if the registry does not list the provider; else its tier now.
    function _requireListed(address provider) internal view returns (uint256 tier) {
        ScoreSlot word = _standing(provider, PROVIDER).word;
        if (ScoreSlot.unwrap(word) & LISTED == 0) revert ProviderNotActive(provider);
        return _score(word).decayedTo(_epoch()).tier();
    }

    /// @dev Scores a closed job, once. Saturates, makes no calls, never reverts.
    function _record(address buyer, address payer, address provider, ClosedJob closed) internal {
        if (closed.agreedAfterFail()) return;
        uint256 epoch = _epoch();
        Standing storage providing = _standing(provider, PROVIDER);
        ScoreSlot providerWord = providing.word;
        ScoreSlot providerWas = _score(providerWord).decayedTo(epoch);

        uint256 payerTier;
        // A buyer whose word cannot change is not worth the load.
        if (payer == buyer || Scoring.deniedBy(closed) != 0) {
            Standing storage buying = _standing(buyer, BUYER);
            ScoreSlot buyerWas = buying.word.decayedTo(epoch);
            if (payer == buyer) payerTier = buyerWas.tier();
            ScoreSlot buyerIs = Scoring.buyerAfter(buyerWas, payer == buyer, provider, providerWas.tier(), closed);
            // A word that only decayed says the same as the one that is stored.
            if (ScoreSlot.unwrap(buyerWas) != ScoreSlot.unwrap(buyerIs)) buying.word = buyerIs;
        }
        uint256 was = ScoreSlot.unwrap(providerWas);
        uint256 is_ = ScoreSlot.unwrap(Scoring.providerAfter(providerWas, payer, payerTier, closed));
        if (was != is_) providing.word = ScoreSlot.wrap(is_ | (ScoreSlot.unwrap(providerWord) & LISTED));
    }

    function _epoch() private view returns (uint256) {
        return ScorePacking.epochOf(block.timestamp);
    }

    function _standing(address account, uint8 role) private view returns (Standing storage) {
        return _standings[uint256(uint160(account)) | uint256(role) << 160];
    }

    function _score(ScoreSlot word) private pure returns (ScoreSlot) {
        return ScoreSlot.wrap(ScoreSlot.unwrap(word) & ~LISTED);
    }
}
