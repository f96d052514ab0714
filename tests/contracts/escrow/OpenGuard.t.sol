// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {ITradeGuard} from "../../../contracts/interfaces/ITradeGuard.sol";
import {JobState} from "../../../contracts/types/Job.sol";
import {JobId} from "../../../contracts/types/JobId.sol";
import {Signatures} from "../../../contracts/types/Signatures.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Trade} from "../fixture/Trade.sol";

/// @notice Admits only trades up to a price, and shows that it was told the job's own id.
contract PriceCap is ITradeGuard {
    IJobEscrow private immutable ESCROW;
    uint104 private immutable LIMIT;

    constructor(IJobEscrow escrow, uint104 limit) {
        ESCROW = escrow;
        LIMIT = limit;
    }

    function admits(JobId job, Terms calldata terms) external view returns (bytes4) {
        bool known = job == ESCROW.jobIdOf(terms);
        return known && terms.unitPrice <= LIMIT ? ITradeGuard.admits.selector : bytes4(0);
    }
}

/// @notice Reverts.
contract Closed {
    fallback() external {
        revert("closed");
    }
}

/// @notice Reverts with what would be the answer.
contract Contrary {
    fallback() external {
        bytes32 word = bytes32(ITradeGuard.admits.selector);
        assembly ("memory-safe") {
            mstore(0x00, word)
            revert(0x00, 0x20)
        }
    }
}

/// @notice Answers with four bytes where a word is due.
contract Mumbler {
    fallback() external {
        bytes32 word = bytes32(ITradeGuard.admits.selector);
        assembly ("memory-safe") {
            mstore(0x00, word)
            return(0x00, 0x04)
        }
    }
}

/// @notice Uses up all the gas that it gets.
contract Furnace {
    fallback() external {
        assembly ("memory-safe") {
            invalid()
        }
    }
}

/// @notice Wants to write before it admits.
contract Scribe {
    uint256 private seen;

    fallback() external {
        ++seen;
        bytes32 word = bytes32(ITradeGuard.admits.selector);
        assembly ("memory-safe") {
            mstore(0x00, word)
            return(0x00, 0x20)
        }
    }
}

/// @notice `open.tree`, guard.
contract OpenGuardTest is Trade {
    function guarded(address guard) private view returns (Terms memory t) {
        t = usualTerms();
        t.guard = guard;
    }

    function expectRefused(address guard) private {
        Terms memory t = guarded(guard);
        Signatures memory given = signatures(t);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.RefusedByGuard.selector, guard));
        escrow.open(t, given);
    }

    function test_Open_WhenTheGuardAdmits() external {
        Terms memory t = guarded(address(new PriceCap(escrow, usualTerms().unitPrice)));
        JobId id = open(t);
        vm.assertEq(uint256(escrow.jobOf(id).state), uint256(JobState.Open));
    }

    function test_RevertWhen_TheGuardAnswersSomethingElse() external {
        expectRefused(address(new PriceCap(escrow, usualTerms().unitPrice - 1)));
    }

    function test_RevertWhen_TheGuardReverts() external {
        expectRefused(address(new Closed()));
    }

    function test_RevertWhen_TheGuardRevertsWithTheRightAnswer() external {
        expectRefused(address(new Contrary()));
    }

    function test_RevertWhen_TheGuardAnswersTooLittle() external {
        expectRefused(address(new Mumbler()));
    }

    function test_RevertWhen_TheGuardBurnsItsGas_ButNotTheCallers() external {
        address guard = address(new Furnace());
        Terms memory t = guarded(guard);
        Signatures memory given = signatures(t);
        uint256 before = gasleft();
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.RefusedByGuard.selector, guard));
        escrow.open(t, given);
        vm.assertLt(before - gasleft(), 700_000);
    }

    function test_RevertWhen_TheGuardWrites() external {
        expectRefused(address(new Scribe()));
    }

    function test_RevertWhen_TheGuardHasNoCode() external {
        expectRefused(relayer);
    }

    function test_AGuardIsNotAskedAgain_WhenTheJobEnds() external {
        Terms memory t = guarded(address(new PriceCap(escrow, usualTerms().unitPrice)));
        JobId id = open(t);
        vm.etch(t.guard, address(new Closed()).code);
        pass(t, 100);
        vm.assertEq(uint256(escrow.jobOf(id).state), uint256(JobState.Closed));
    }
}
