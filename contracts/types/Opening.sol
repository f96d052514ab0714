// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Signatures} from "./Signatures.sol";
import {Terms} from "./Terms.sol";

/// @notice One item of `openMany`: what `open` takes.
struct Opening {
    Terms terms;
    Signatures signatures;
}
