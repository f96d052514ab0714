// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice What the owner may set, within hard caps. Arrays are by the provider's credit tier, 0 (newcomer) to 3.
/// A job is held to the parameters of its opening for ever.
struct Parameters {
    /// Protocol fee, of the provider's gross pay.
    uint16[4] feeBps;
    /// Least bond, of the value of the job: beyond 10,000 where verifiers look at a part of the jobs only.
    uint24[4] bondBps;
    /// Most that a provider may have locked, its bonds above all, in whole credits; zero for no cap. At most 2^23 − 1.
    uint24[4] maxLocked;
    /// Least dispute window of a job, in seconds.
    uint32 minDisputeWindow;
    /// Who receives the fees.
    address treasury;
    /// Who may pause and unpause `open`.
    address guardian;
}
