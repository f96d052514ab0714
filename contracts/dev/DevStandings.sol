// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Standings} from "../escrow/Standings.sol";
import {ClosedJob} from "../libraries/ClosedJob.sol";

/// @notice The escrow's scores without the escrow, so that any history can be recorded. Development chains only.
contract DevStandings is Standings {
    constructor(address registry_) Standings(registry_) {}

    /// @notice Scores a close that never was.
    function record(address buyer, address payer, address provider, ClosedJob closed) external {
        _record(buyer, payer, provider, closed);
    }
}
