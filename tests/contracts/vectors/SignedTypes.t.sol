// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {SignatureCheck} from "../../../contracts/libraries/SignatureCheck.sol";
import {Attestation, Verdict} from "../../../contracts/types/Attestation.sol";
import {JobId} from "../../../contracts/types/JobId.sol";
import {Ruling} from "../../../contracts/types/Ruling.sol";
import {Settlement} from "../../../contracts/types/Settlement.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Deployment} from "../fixture/Deployment.sol";

/// @notice `signed_types.tree`. The escrow computes the digests that Python wrote to tests/vectors (scripts/vectors.py), on the chain and address of each vector.
contract SignedTypesTest is Deployment {
    string private json;
    string private at;

    function checkAll(string memory file, function() internal returns (bytes32) digest) private {
        json = vm.readFile(string.concat("tests/vectors/", file));
        bytes memory code = address(escrow).code;
        uint256 count;
        for (at = ".[0]"; vm.keyExistsJson(json, string.concat(at, ".digest")); at = pathOf(count)) {
            ++count;
            vm.chainId(vm.parseJsonUint(json, string.concat(at, ".domain.chainId")));
            address place = vm.parseJsonAddress(json, string.concat(at, ".domain.verifyingContract"));
            vm.etch(place, code);
            escrow = IJobEscrow(place);

            bytes32 found = digest();

            vm.assertEq(found, vm.parseJsonBytes32(json, string.concat(at, ".digest")), at);
            vm.assertTrue(this.signedBy(signer(), found, vm.parseJsonBytes(json, string.concat(at, ".signature"))), at);
        }
        vm.assertEq(count, 20, "vectors in the file");
    }

    function signedBy(address holder, bytes32 digest, bytes calldata signature) external pure returns (bool) {
        return SignatureCheck.signedByKey(holder, digest, signature);
    }

    function pathOf(uint256 index) private pure returns (string memory) {
        return string.concat(".[", vm.toString(index), "]");
    }

    function signer() private view returns (address) {
        return vm.parseJsonAddress(json, string.concat(at, ".signer"));
    }

    function field(string memory name) private view returns (string memory) {
        return string.concat(at, ".message.", name);
    }

    function account(string memory name) private view returns (address) {
        return vm.parseJsonAddress(json, field(name));
    }

    function word(string memory name) private view returns (bytes32) {
        return vm.parseJsonBytes32(json, field(name));
    }

    function number(string memory name) private view returns (uint256) {
        return vm.parseJsonUint(json, field(name));
    }

    // ---------------------------------------------------------------- types

    function termsDigest() private view returns (bytes32) {
        Terms memory t;
        t.buyer = account("buyer");
        t.payer = account("payer");
        t.provider = account("provider");
        t.verifier = account("verifier");
        t.arbiter = account("arbiter");
        t.guard = account("guard");
        t.order = word("order");
        t.resource = word("resource");
        t.spec = word("spec");
        t.sla = word("sla");
        t.unitPrice = uint104(number("unitPrice"));
        t.minUnits = uint64(number("minUnits"));
        t.maxUnits = uint64(number("maxUnits"));
        t.bond = uint104(number("bond"));
        t.verifierFee = uint104(number("verifierFee"));
        t.arbiterFee = uint104(number("arbiterFee"));
        t.openBy = uint40(number("openBy"));
        t.end = uint40(number("end"));
        t.passWindow = uint32(number("passWindow"));
        t.disputeWindow = uint32(number("disputeWindow"));
        t.rulingWindow = uint32(number("rulingWindow"));
        t.maxFeeBps = uint16(number("maxFeeBps"));
        t.nonce = uint48(number("nonce"));
        return JobId.unwrap(escrow.jobIdOf(t));
    }

    function attestationDigest() private view returns (bytes32) {
        return escrow.attestationDigest(
            Attestation({
                job: JobId.wrap(word("job")),
                verdict: Verdict(number("verdict")),
                result: word("result"),
                units: uint64(number("units")),
                isFinal: vm.parseJsonBool(json, field("isFinal")),
                qualityBps: uint16(number("qualityBps")),
                meterRoot: word("meterRoot"),
                evidence: word("evidence")
            })
        );
    }

    function settlementDigest() private view returns (bytes32) {
        return escrow.settlementDigest(
            Settlement(JobId.wrap(word("job")), uint64(number("units")), uint40(number("deadline")))
        );
    }

    function rulingDigest() private view returns (bytes32) {
        return escrow.rulingDigest(
            Ruling(
                JobId.wrap(word("job")), uint64(number("units")), uint16(number("slashBps")), uint16(number("costBps"))
            )
        );
    }

    function test_Terms_HashAsInPython() external {
        checkAll("terms.json", termsDigest);
    }

    function test_Attestation_HashesAsInPython() external {
        checkAll("attestation.json", attestationDigest);
    }

    function test_Settlement_HashesAsInPython() external {
        checkAll("settlement.json", settlementDigest);
    }

    function test_Ruling_HashesAsInPython() external {
        checkAll("ruling.json", rulingDigest);
    }
}
