// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Vm} from "./Vm.sol";

/// @notice What every Foundry test stands on: the cheatcodes, bounded fuzz inputs, and the list of invariant targets.
abstract contract Test {
    // forge looks for this getter to know that the contract holds tests.
    bool public constant IS_TEST = true;
    /// The address at which Foundry answers cheatcodes: the low 20 bytes of keccak256("hevm cheat code").
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    address[] private invariantTargets;
    FuzzSelector[] private invariantSelectors;

    /// @notice Calls only `target` in invariant runs (with others that were named).
    function targetContract(address target) internal {
        invariantTargets.push(target);
    }

    /// @notice Calls only these selectors of a target in invariant runs.
    function targetSelector(FuzzSelector memory selector) internal {
        invariantSelectors.push(selector);
    }

    /// @dev Foundry reads these two before an invariant run.
    function targetContracts() external view returns (address[] memory) {
        return invariantTargets;
    }

    function targetSelectors() external view returns (FuzzSelector[] memory) {
        return invariantSelectors;
    }

    /// @notice `x` folded into [low, high]; a value already inside is kept.
    function bound(uint256 x, uint256 low, uint256 high) internal pure returns (uint256) {
        if (low <= x && x <= high) return x;
        unchecked {
            uint256 size = high - low + 1;
            return size == 0 ? x : low + x % size;
        }
    }

    /// @notice A labelled account with a known key, the same for the same name.
    function makeAccount(string memory name) internal returns (address account, uint256 privateKey) {
        privateKey = uint256(keccak256(bytes(name)));
        account = vm.addr(privateKey);
        vm.label(account, name);
    }
}
