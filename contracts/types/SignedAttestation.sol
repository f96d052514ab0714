// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Attestation} from "./Attestation.sol";
import {Terms} from "./Terms.sol";

/// @notice One item of `attestMany`: what `attest` takes.
struct SignedAttestation {
    Terms terms;
    Attestation attestation;
    bytes signature;
}
