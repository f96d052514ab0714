// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ScoreSlot} from "../libraries/ScoreSlot.sol";

/// @title The credit score of every account, as a buyer and as a provider.
/// @notice A score is the expected share of good conduct under a Beta prior (Jøsang and Ismail, *The Beta Reputation System*, 2002):
///
///     score = ⌊10,000 · (credit + P) / (credit + debit + 2P)⌋ basis points,   P = one credit
///
/// so a newcomer has 5,000. `credit` and the three debits are weights in 10⁻⁶ credits. Fees really paid earn; work not delivered after a fault costs what its fee
/// would have been at 1 % (fulfilment), service levels that were missed their share of the fee (quality), a dispute that was lost the same again (behaviour).
/// All fade at the end of each week, by half in 13 weeks.
///
/// Two things make sock puppets dear. A fee counts twice as much for each tier of the one who is traded with, from an eighth with a newcomer: accounts that
/// nobody knows lift nobody much. And of what one counterparty brings in a week no more than 5.115 credits count, so that one alone can never lift anybody to the
/// highest tier. Debits have no cap.
///
/// The escrow changes the words when a job closes (`Standings`). With q the quality share and u = ⌈undelivered / 100⌉, the nominal fee of what was not delivered:
/// - provider: credit + ⌊fee · q · 2^(tier of the payer as a buyer) / 8⌋ as far as the payer's bucket has room; quality + ⌈fee · (1 − q)⌉; if it failed
///   fulfilment + u, and behaviour + u where a ruling found so. The payer's tier counts as 0 where it is not the buyer.
/// - buyer: if it paid itself, credit + ⌊fee · q · 2^(tier of the provider) / 8⌋ as far as the provider's bucket has room; behaviour + u where a pass was disputed
///   away by default, + ⌈fee⌉ where a ruling went against it.
/// - a job agreed on after a fail changes nothing.
/// Tiers are those before this close.
///
/// There are no events: every word follows from the escrow's (SPEC.md, section 13).
interface ICreditScores {
    error NoSuchRole(uint8 role);

    /// @notice Decayed weights in atoms of credit.
    struct Standing {
        uint104 credit;
        uint104 fulfilmentDebit;
        uint104 qualityDebit;
        uint104 behaviourDebit;
    }

    /// @notice The score as it would be if only one kind of debit counted, in basis points.
    struct Components {
        uint16 fulfilmentBps;
        uint16 qualityBps;
        uint16 behaviourBps;
    }

    /// @notice Score in basis points, now. `role`: 0 buyer, 1 provider; others revert, here and below.
    function scoreOf(address account, uint8 role) external view returns (uint16 scoreBps);

    /// @notice What the score is made of, now.
    function componentsOf(address account, uint8 role) external view returns (Components memory);

    /// @notice Standing as a provider, now: 0 (newcomer) to 3. Sets fee, bond and the cap on what is open.
    /// @dev The highest tier whose least score and least credit are both reached: 1 from 6,000 and 1 credit, 2 from 7,500 and 10, 3 from 9,000 and 100.
    function tierOf(address account) external view returns (uint8 tier);

    /// @notice The same for either role.
    function tierIn(address account, uint8 role) external view returns (uint8 tier);

    /// @notice Weights in atoms of credit, now.
    function standingOf(address account, uint8 role) external view returns (Standing memory);

    /// @notice The word behind all of it, decayed to now.
    function slotOf(address account, uint8 role) external view returns (ScoreSlot);

    function escrow() external view returns (address);
}
