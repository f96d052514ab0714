// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../interfaces/IJobEscrow.sol";
import {JobId} from "../types/JobId.sol";
import {Opening} from "../types/Opening.sol";
import {SignedAttestation} from "../types/SignedAttestation.sol";
import {Terms} from "../types/Terms.sol";
import {Custody} from "./Custody.sol";

/// @notice Batches whose items stand alone: each is a call of the escrow to itself, so that one that reverts undoes itself and nothing else.
/// An item is forwarded as it stands in calldata, because a struct is encoded like the arguments of a function.
abstract contract Batches is Custody {
    uint256 private constant CALLER_SIZE = 20;

    /// @inheritdoc IJobEscrow
    function openMany(Opening[] calldata items) external {
        _each(IJobEscrow.open.selector, items);
    }

    /// @inheritdoc IJobEscrow
    function openManyFromWallet(uint104 amount, Opening[] calldata items) external {
        _deposit(msg.sender, amount);
        _each(IJobEscrow.open.selector, items);
    }

    /// @inheritdoc IJobEscrow
    function openManyWithPermit(
        uint104 amount,
        Opening[] calldata items,
        uint256 permitDeadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        _permit(credit, msg.sender, amount, permitDeadline, v, r, s);
        _deposit(msg.sender, amount);
        _each(IJobEscrow.open.selector, items);
    }

    /// @inheritdoc IJobEscrow
    function attestMany(SignedAttestation[] calldata items) external {
        // Both kinds of item are dynamic tuples that begin with terms, and no more is looked at.
        Opening[] calldata alike;
        assembly ("memory-safe") {
            alike.offset := items.offset
            alike.length := items.length
        }
        _each(IJobEscrow.attest.selector, alike);
    }

    /// @dev Who acts: the sender, or whoever sent the batch. The escrow calls itself from `_each` only.
    function _caller() internal view returns (address who) {
        who = msg.sender;
        if (who == address(this)) {
            assembly ("memory-safe") {
                who := shr(96, calldataload(sub(calldatasize(), CALLER_SIZE)))
            }
        }
    }

    function _each(bytes4 selector, Opening[] calldata items) private {
        for (uint256 i; i < items.length; ++i) {
            Opening calldata item = items[i];
            uint256 start;
            uint256 end = msg.data.length;
            assembly ("memory-safe") {
                start := item
            }
            if (i + 1 < items.length) {
                Opening calldata next = items[i + 1];
                uint256 nextStart;
                assembly ("memory-safe") {
                    nextStart := next
                }
                // Where encoders lay items out in another order, more than the item is forwarded, and read nowhere.
                if (nextStart > start) end = nextStart;
            }
            if (!_forward(selector, start, end)) _emitSkipped(jobIdOf(item.terms), i);
        }
    }

    /// @dev Calls this escrow with calldata[start, end) as the arguments, and the sender behind them.
    function _forward(bytes4 selector, uint256 start, uint256 end) private returns (bool done) {
        assembly ("memory-safe") {
            let size := sub(end, start)
            let scratch := mload(0x40)
            mstore(scratch, selector)
            calldatacopy(add(scratch, 4), start, size)
            mstore(add(add(scratch, 4), size), shl(96, caller()))
            done := call(gas(), address(), 0, scratch, add(size, add(4, CALLER_SIZE)), 0, 0)
        }
    }

    /// @dev Of the error that was returned, its selector and two words.
    function _emitSkipped(JobId id, uint256 index) private {
        bytes32 error_;
        bytes32 first;
        bytes32 second;
        assembly ("memory-safe") {
            let scratch := mload(0x40)
            let size := returndatasize()
            if gt(size, 0x44) { size := 0x44 }
            mstore(scratch, 0)
            mstore(add(scratch, 0x20), 0)
            mstore(add(scratch, 0x40), 0)
            returndatacopy(scratch, 0, size)
            error_ := shl(224, shr(224, mload(scratch)))
            first := mload(add(scratch, 0x04))
            second := mload(add(scratch, 0x24))
        }
        emit JobSkipped(id, msg.sender, index, error_, first, second);
    }

    /// @inheritdoc IJobEscrow
    function jobIdOf(Terms calldata terms) public view virtual returns (JobId);
}
