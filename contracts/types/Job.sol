// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice Where a job stands. `Closed` absorbs.
enum JobState {
    None,
    Open,
    Pending,
    Disputed,
    Closed
}

/// @notice What a pending, disputed or closed job rests on. In rising rank, except that pass and fail rank alike.
enum Outcome {
    NoFault,
    Claim,
    Pass,
    Fail
}

/// @notice Which transition closed a job.
enum ClosedBy {
    Attested,
    Finalized,
    Ruled,
    Agreed,
    Reclaimed,
    DisputedByDefault,
    Cancelled
}

/// @notice A job's one storage slot.
struct Job {
    JobState state;
    Outcome outcome;
    /// Protocol fee fixed at open.
    uint16 feeBps;
    /// Cumulative units accepted by the verifier's passes. After closing: the settled units.
    uint64 accepted;
    /// Units that a pending claim or pass would pay.
    uint64 pending;
    /// End of the running window.
    uint40 deadline;
    /// Service-level share of the last final attestation, for the score.
    uint16 qualityBps;
    /// Number of the block in which the job was opened: committees draw their panels from its hash.
    uint40 openedIn;
    /// Once closed: by which transition.
    ClosedBy closedBy;
    /// Once closed: whether the verifier's fee was paid.
    bool verifierPaid;
    /// Once closed: whether the provider was at fault.
    bool failed;
}
