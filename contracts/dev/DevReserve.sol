// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title Play money for development chains: a reserve token of 6 decimals that anybody may mint.
/// @notice Warning: the deployer refuses it on every other chain.
contract DevReserve is ERC20Permit {
    constructor() ERC20("Development Dollar", "DEV") ERC20Permit("Development Dollar") {}

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}
