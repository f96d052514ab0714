// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../interfaces/IJobEscrow.sol";
import {IProviderRegistry} from "../interfaces/IProviderRegistry.sol";
import {JobId} from "../types/JobId.sol";
import {Custody} from "./Custody.sol";
import {Standings} from "./Standings.sol";

/// @notice The provider's stake behind its jobs. A bond is taken from what the provider has free; what is missing comes from its stake in the registry, as
/// credits, and goes back there when the job closes, as far as the bond was not slashed. So a job has one bond, in one place, whatever it was made of.
abstract contract Collateral is Custody, Standings {
    mapping(JobId job => uint104) private _staked;

    /// @inheritdoc IJobEscrow
    function stakedOf(JobId job) external view returns (uint104) {
        return _staked[job];
    }

    /// @inheritdoc IJobEscrow
    function stakeReward(uint104 amount) external {
        _debit(msg.sender, amount);
        emit Withdrawn(msg.sender, registry, amount);
        _push(registry, amount);
        IProviderRegistry(registry).stakeReward(msg.sender, amount);
    }

    /// @dev Last of an opening but for its events: the provider's account has the credits already. Reverts if it has less stake that is not reserved.
    function _takeStake(JobId job, address provider, uint104 amount) internal {
        _staked[job] = amount;
        IProviderRegistry(registry).reserve(provider, amount);
        emit BondStaked(job, provider, amount);
    }

    /// @dev After a close that left `bondReturned` in the provider's free balance: what it lost came from its own balance first.
    function _returnStake(JobId job, address provider, uint104 bondReturned) internal {
        uint104 staked = _staked[job];
        uint104 returned = staked < bondReturned ? staked : bondReturned;
        delete _staked[job];
        _debit(provider, returned);
        emit BondUnstaked(job, provider, returned);
        _push(registry, returned);
        IProviderRegistry(registry).release(provider, staked, returned);
    }
}
