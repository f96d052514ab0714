// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";

import {Membership} from "./committee/Membership.sol";
import {IJobEscrow} from "./interfaces/IJobEscrow.sol";
import {IVerifierCommittee} from "./interfaces/IVerifierCommittee.sol";
import {SeatSet} from "./libraries/SeatSet.sol";
import {StructHash} from "./libraries/StructHash.sol";
import {Attestation, Verdict} from "./types/Attestation.sol";
import {ClosedBy, Job, JobState, Outcome} from "./types/Job.sol";
import {JobId} from "./types/JobId.sol";
import {Terms} from "./types/Terms.sol";

/// @notice Signatures, fees and slashing. `Membership` has who serves and who is drawn; `IVerifierCommittee` is the manual.
contract VerifierCommittee is Membership, Multicall {
    using SafeERC20 for IERC20;
    using SeatSet for uint256;
    using StructHash for Attestation;

    uint256 private constant SIGNATURE_SIZE = 65;
    uint256 private constant ATTESTATION_SIZE = 8 * 32;
    bytes4 private constant NOT_VALID = 0xffffffff;
    uint256 private constant FULL_BPS = 10_000;

    /// @inheritdoc IVerifierCommittee
    uint256 public constant BOUNTY_BPS = 1_000;
    /// @inheritdoc IVerifierCommittee
    uint256 public immutable threshold;
    uint32 private immutable _claimWindow;
    address private immutable _arbiter;
    bytes32 private immutable _domainSeparator;

    mapping(JobId job => Claim) private _claims;

    constructor(address escrow_, address owner_, Rules memory rules_, address[] memory named)
        Membership(escrow_, owner_, rules_, named)
    {
        if (rules_.threshold == 0 || rules_.threshold > rules_.panelSize) {
            revert ThresholdOutOfRange(rules_.threshold, 1, rules_.panelSize);
        }
        threshold = rules_.threshold;
        _claimWindow = rules_.claimWindow;
        _arbiter = rules_.arbiter;
        (, string memory name_, string memory version, uint256 chainId, address verifying,,) =
            IERC5267(escrow_).eip712Domain();
        _domainSeparator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256(bytes(name_)),
                keccak256(bytes(version)),
                chainId,
                verifying
            )
        );
    }

    // ---------------------------------------------------------------- signatures

    /// @inheritdoc IERC1271
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        if (signature.length < ATTESTATION_SIZE + threshold * SIGNATURE_SIZE) return NOT_VALID;
        Attestation calldata attestation;
        assembly ("memory-safe") {
            attestation := signature.offset
        }
        // Only an attestation can have this digest, so the committee signs nothing else.
        if (_digestOf(attestation) != hash) return NOT_VALID;
        JobId id = attestation.job;
        uint256 openedIn = _openedIn(id);
        (, uint256 count) = _signersOf(hash, _panel(id, openedIn), openedIn, signature[ATTESTATION_SIZE:], true);
        return count >= threshold ? IERC1271.isValidSignature.selector : NOT_VALID;
    }

    function _digestOf(Attestation calldata attestation) private view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", _domainSeparator, attestation.hash()));
    }

    /// @dev Seats of those who signed, and how many; none if one signature is not of the panel, or out of order.
    /// @param inService Whether a member has to serve still.
    function _signersOf(bytes32 digest, uint256 panel, uint256 openedIn, bytes calldata packed, bool inService)
        private
        view
        returns (uint256 seats, uint256 count)
    {
        count = packed.length / SIGNATURE_SIZE;
        if (count * SIGNATURE_SIZE != packed.length || count > MAX_MEMBERS) return (0, 0);
        address last = address(0);
        for (uint256 i; i < count; ++i) {
            address signer = _signerAt(digest, packed, i);
            // Ascending addresses: nobody counts twice, and the zero address of a bad signature never counts.
            if (signer <= last) return (0, 0);
            last = signer;
            Member memory member = _members[signer];
            bool counts = _servedIn(openedIn, member) && panel.has(member.seat);
            if (!counts || (inService && !_serves(member.duty))) return (0, 0);
            seats |= 1 << member.seat;
        }
    }

    /// @dev Whose signature is the `index`th of them; zero if nobody's. `packed` has to reach that far.
    function _signerAt(bytes32 digest, bytes calldata packed, uint256 index) private pure returns (address signer) {
        bytes32 r;
        bytes32 s;
        uint8 v;
        assembly ("memory-safe") {
            let at := add(packed.offset, mul(index, SIGNATURE_SIZE))
            r := calldataload(at)
            s := calldataload(add(at, 0x20))
            v := byte(0, calldataload(add(at, 0x40)))
        }
        (signer,,) = ECDSA.tryRecover(digest, v, r, s);
    }

    // ---------------------------------------------------------------- fees

    /// @inheritdoc IVerifierCommittee
    function claim(Terms calldata terms, Attestation calldata attestation, bytes calldata signatures) external {
        (JobId id, Job memory job) = _ourJob(terms, attestation);
        if (job.state != JobState.Closed || !job.verifierPaid) revert NothingEarned(id);
        if (!_earned(job, attestation)) revert NotTheAttestation(id);
        bytes32 digest = _digestOf(attestation);
        (uint256 seats, uint256 count) = _signersOf(digest, _panel(id, job.openedIn), job.openedIn, signatures, false);
        if (count < threshold) revert TooFewSignatures(count, threshold);

        Claim memory sharing = _claims[id];
        if (sharing.closesAt == 0) {
            sharing.fee = terms.verifierFee;
            sharing.closesAt = uint40(block.timestamp + _claimWindow);
            sharing.attestation = uint48(uint256(digest));
        } else {
            if (block.timestamp > sharing.closesAt) revert TooLate(block.timestamp, sharing.closesAt);
            if (sharing.attestation != uint48(uint256(digest))) revert NotTheAttestation(id);
        }
        sharing.unpaid |= uint32(seats);
        sharing.sharers = uint8(uint256(sharing.unpaid).count());
        _claims[id] = sharing;
        emit FeeClaimed(id, sharing.fee, sharing.sharers, sharing.closesAt);
    }

    /// @dev Whether this is a statement for which the escrow pays the verifier of a job that ended so.
    function _earned(Job memory job, Attestation calldata attestation) private pure returns (bool) {
        if (job.outcome == Outcome.Fail) {
            return attestation.verdict == Verdict.Fail && attestation.qualityBps == job.qualityBps;
        }
        if (job.outcome == Outcome.Pass) {
            return
                attestation.verdict == Verdict.Pass && attestation.isFinal && attestation.qualityBps == job.qualityBps;
        }
        return attestation.verdict == Verdict.Pass && !attestation.isFinal;
    }

    /// @inheritdoc IVerifierCommittee
    function withdrawFees(JobId[] calldata jobs, address to) external {
        if (to == address(0)) revert ZeroAddress();
        Member memory member = _members[msg.sender];
        uint104 amount;
        for (uint256 i; i < jobs.length; ++i) {
            JobId job = jobs[i];
            Claim memory sharing = _claims[job];
            if (block.timestamp <= sharing.closesAt) revert TooEarly(block.timestamp, sharing.closesAt);
            bool theirs = _servedIn(_openedIn(job), member);
            if (!theirs || !uint256(sharing.unpaid).has(member.seat)) revert NoShare(job, msg.sender);
            _claims[job].unpaid = uint32(uint256(sharing.unpaid) ^ 1 << member.seat);
            amount += sharing.fee / sharing.sharers;
        }
        emit FeesWithdrawn(msg.sender, to, amount);
        IJobEscrow(escrow).withdraw(to, amount);
    }

    /// @inheritdoc IVerifierCommittee
    function claimOf(JobId job) external view returns (Claim memory) {
        return _claims[job];
    }

    function _ourJob(Terms calldata terms, Attestation calldata attestation)
        private
        view
        returns (JobId id, Job memory job)
    {
        id = IJobEscrow(escrow).jobIdOf(terms);
        if (terms.verifier != address(this) || attestation.job != id) revert NotOurJob(attestation.job);
        job = IJobEscrow(escrow).jobOf(id);
    }

    // ---------------------------------------------------------------- slashing

    /// @inheritdoc IVerifierCommittee
    function slash(Terms calldata terms, Attestation calldata attestation, bytes calldata signatures) external {
        (JobId id, Job memory job) = _ourJob(terms, attestation);
        if (_arbiter == address(0) || terms.arbiter != _arbiter) revert NotOurArbiter(terms.arbiter);
        if (!_provenWrong(job, attestation)) revert NotProvenWrong(id);
        bytes32 digest = _digestOf(attestation);
        uint256 count = signatures.length / SIGNATURE_SIZE;
        if (count == 0 || signatures.length % SIGNATURE_SIZE != 0) revert TooFewSignatures(count, 1);
        uint256 taken;
        for (uint256 i; i < count; ++i) {
            address signer = _signerAt(digest, signatures, i);
            taken += _takeStake(signer, id, job.openedIn);
        }
        uint256 bounty = taken * BOUNTY_BPS / FULL_BPS;
        // A wrong pass made the buyer pay for nothing; a wrong fail kept the provider from its pay.
        address harmed = attestation.verdict == Verdict.Pass ? terms.buyer : terms.provider;
        IERC20(credit).safeTransfer(msg.sender, bounty);
        IERC20(credit).safeTransfer(harmed, taken - bounty);
    }

    function _provenWrong(Job memory job, Attestation calldata attestation) private pure returns (bool) {
        if (job.state != JobState.Closed || job.closedBy != ClosedBy.Ruled) return false;
        if (attestation.verdict == Verdict.Pass) return job.failed && job.accepted < attestation.units;
        return attestation.verdict == Verdict.Fail && !job.failed && job.accepted > 0;
    }

    function _takeStake(address account, JobId job, uint256 openedIn) private returns (uint104 stake) {
        Member storage member = _members[account];
        stake = member.stake;
        if (!_servedIn(openedIn, member) || stake == 0) revert WrongDuty(account, member.duty);
        member.stake = 0;
        emit MemberSlashed(account, job, stake);
        if (_serves(member.duty)) _retire(account, member);
    }

    /// @inheritdoc IVerifierCommittee
    function rules() external view returns (Rules memory) {
        return Rules({
            threshold: uint8(threshold),
            panelSize: uint8(_panelSize),
            stake: stakePerMember,
            rotationDelay: _rotationDelay,
            unbonding: _unbonding,
            claimWindow: _claimWindow,
            arbiter: _arbiter
        });
    }
}
