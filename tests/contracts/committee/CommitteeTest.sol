// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

import {IVerifierCommittee} from "../../../contracts/interfaces/IVerifierCommittee.sol";
import {Attestation, Verdict} from "../../../contracts/types/Attestation.sol";
import {JobId} from "../../../contracts/types/JobId.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Committee} from "../fixture/Committee.sol";

/// @notice A committee of two of three, all of whom serve, and jobs that name it.
abstract contract CommitteeTest is Committee {
    IVerifierCommittee internal committee;
    address[] internal members;

    function setUp() public virtual override {
        super.setUp();
        (committee, members) = committeeOf(2, 3, 3);
    }

    function committeeTerms() internal view returns (Terms memory t) {
        t = usualTerms();
        t.verifier = address(committee);
    }

    function valid(Attestation memory a, bytes memory signature) internal view returns (bool) {
        return committee.isValidSignature(escrow.attestationDigest(a), signature) == IERC1271.isValidSignature.selector;
    }

    /// @notice Opens a job and lets members [from, to) attest it.
    function attested(Terms memory t, Verdict verdict, uint64 units, uint256 from, uint256 to)
        internal
        returns (Attestation memory a)
    {
        open(t);
        a = statement(t, verdict, units, true);
        escrow.attest(t, a, committeeSignature(a, members, from, to));
    }

    function claimed(Terms memory t, Attestation memory a, uint256 from, uint256 to) internal {
        committee.claim(t, a, votes(members, from, to, escrow.attestationDigest(a)));
    }

    /// @notice The first member retires, and the relayer serves in its seat.
    function replaceTheFirst() internal {
        vm.prank(members[0]);
        committee.leave();
        rotateInTime(committee, members[0]);
        vm.prank(address(timelock));
        committee.name(relayer);
        joinAs(committee, relayer);
        vm.roll(block.number + 1);
        rotateInTime(committee, relayer);
        vm.assertEq(uint256(committee.memberOf(relayer).seat), committee.memberOf(members[0]).seat);
    }

    /// @notice Signatures of two, ascending by their addresses.
    function votesOf(address one, address other, bytes32 digest) internal view returns (bytes memory) {
        (address first, address second) = one < other ? (one, other) : (other, one);
        return bytes.concat(sign(first, digest), sign(second, digest));
    }

    function listOf(JobId job) internal pure returns (JobId[] memory jobs) {
        jobs = new JobId[](1);
        jobs[0] = job;
    }

    function expectAs(address caller, bytes memory reason) internal {
        vm.expectRevert(reason);
        vm.prank(caller);
    }

    function about(bytes4 selector, address account) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, account);
    }

    function about(bytes4 selector, JobId job) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, job);
    }

    function duty(address member) internal view returns (uint256) {
        return uint256(committee.memberOf(member).duty);
    }
}
