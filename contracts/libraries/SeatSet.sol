// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice A set of seats, one bit each, and lots drawn from it.
library SeatSet {
    /// Picks that one seed of 256 bits is good for, at 16 bits a pick: with at most 256 seats a pick is off the even chance by less than 0.4 %.
    uint256 private constant PICKS_PER_SEED = 16;

    error NoFreeSeat(uint256 seats);

    function has(uint256 seats, uint256 seat) internal pure returns (bool) {
        return seats >> seat & 1 == 1;
    }

    function count(uint256 seats) internal pure returns (uint256 number) {
        for (; seats != 0; ++number) {
            seats &= seats - 1;
        }
    }

    /// @notice The lowest seat below `limit` that is not in the set.
    function lowestFree(uint256 seats, uint256 limit) internal pure returns (uint256 seat) {
        while (has(seats, seat)) {
            ++seat;
        }
        if (seat >= limit) revert NoFreeSeat(limit);
    }

    /// @notice `size` different seats of the set, by lot; all of it if there are no more than that.
    /// @param size_ Number of seats in the set.
    function draw(uint256 seats, uint256 size_, uint256 size, bytes32 seed) internal pure returns (uint256 drawn) {
        if (size_ <= size) return seats;
        unchecked {
            uint256 bits = uint256(seed);
            for (uint256 i; i < size; ++i) {
                if (i != 0 && i % PICKS_PER_SEED == 0) {
                    bits = uint256(keccak256(abi.encode(seed, i)));
                }
                uint256 left = seats;
                for (uint256 skip = (bits & 0xffff) % (size_ - i); skip != 0; --skip) {
                    left &= left - 1;
                }
                bits >>= 16;
                left &= ~left + 1;
                drawn |= left;
                seats ^= left;
            }
        }
    }
}
