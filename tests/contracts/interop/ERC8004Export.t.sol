// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC8004Export} from "../../../contracts/interfaces/IERC8004Export.sol";
import {Attestation, Verdict} from "../../../contracts/types/Attestation.sol";
import {JobId} from "../../../contracts/types/JobId.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Trade} from "../fixture/Trade.sol";
import {AgentIdentity, AgentReputation, AgentValidation} from "./AgentRegistries.sol";

/// @notice `erc8004.tree`.
contract ERC8004ExportTest is Trade {
    AgentIdentity private identity;
    AgentReputation private reputation;
    AgentValidation private validation;
    IERC8004Export private export_;
    uint256 private agentId;
    uint48 private next;

    function setUp() public override {
        super.setUp();
        identity = new AgentIdentity();
        reputation = new AgentReputation(identity);
        validation = new AgentValidation(identity);
        export_ = IERC8004Export(create("ERC8004Export", abi.encode(escrow, reputation, validation)));
        vm.prank(relayer);
        identity.register("ipfs://somebody-else");
        vm.startPrank(provider);
        agentId = identity.register("ipfs://registration");
        export_.bind(agentId);
        vm.stopPrank();
    }

    function fresh() private returns (Terms memory t) {
        t = usualTerms();
        t.nonce = ++next;
        t.openBy = uint40(block.timestamp + 1 hours);
        t.end = uint40(block.timestamp + 1 days);
    }

    function passed(uint16 qualityBps) private returns (Terms memory t) {
        t = fresh();
        open(t);
        Attestation memory a = statement(t, Verdict.Pass, 600, true);
        a.qualityBps = qualityBps;
        attestAs(relayer, t, a);
    }

    function assertSays(Terms memory t, int128 value, string memory how) private {
        uint64 index = reputation.getLastIndex(agentId, address(export_)) + 1;
        vm.expectEmit(address(export_));
        emit IERC8004Export.FeedbackPublished(escrow.jobIdOf(t), agentId, index, uint16(uint128(value)));
        vm.prank(relayer);
        export_.publish(t);
        AgentReputation.Feedback memory given = reputation.readFeedback(agentId, address(export_), index);
        vm.assertEq(int256(given.value), int256(value));
        vm.assertEq(uint256(given.valueDecimals), 2);
        vm.assertEq(given.tag1, "starred");
        vm.assertEq(given.tag2, how);
        vm.assertEq(export_.published(provider), index);
        vm.assertTrue(export_.isPublished(escrow.jobIdOf(t)));
    }

    function about(bytes4 selector, Terms memory t) private view returns (bytes memory) {
        return abi.encodeWithSelector(selector, escrow.jobIdOf(t));
    }

    function assertSaysNothing(Terms memory t) private {
        vm.expectRevert(about(IERC8004Export.SaysNothing.selector, t));
        export_.publish(t);
    }

    // ---------------------------------------------------------------- constructor and bind

    function test_Constructor_RevertWhen_TheRegistriesAreNoneOrOfTwoIdentities() external {
        vm.expectRevert(IERC8004Export.ZeroAddress.selector);
        this.build(address(0), address(reputation), address(validation));
        vm.expectRevert(IERC8004Export.ZeroAddress.selector);
        this.build(address(escrow), address(0), address(validation));
        vm.expectRevert(IERC8004Export.ZeroAddress.selector);
        this.build(address(escrow), address(reputation), address(0));
        AgentIdentity other = new AgentIdentity();
        address foreign = address(new AgentValidation(other));
        vm.expectRevert(abi.encodeWithSelector(IERC8004Export.OtherIdentity.selector, foreign, address(other)));
        this.build(address(escrow), address(reputation), foreign);
        vm.assertEq(export_.identity(), address(identity));
    }

    function build(address escrow_, address reputation_, address validation_) external {
        create("ERC8004Export", abi.encode(escrow_, reputation_, validation_));
    }

    function test_Bind_RevertWhen_TheAgentIsSomebodyElses_OrOneIsBound() external {
        vm.expectRevert(abi.encodeWithSelector(IERC8004Export.CallerNotAgent.selector, buyer, agentId));
        vm.prank(buyer);
        export_.bind(agentId);
        vm.expectRevert(abi.encodeWithSelector(IERC8004Export.AlreadyBound.selector, provider, agentId));
        vm.prank(provider);
        export_.bind(agentId);
        vm.expectRevert(abi.encodeWithSelector(IERC8004Export.NotBound.selector, buyer));
        export_.agentOf(buyer);
    }

    function test_Bind_TheAgentStaysTheProviders_WhoeverHoldsIt() external {
        vm.prank(provider);
        identity.transferFrom(provider, buyer, agentId);
        assertSays(passed(9_000), 9_000, "attested");
    }

    // ---------------------------------------------------------------- what jobs say

    function test_APassThatPaid_SaysItsQuality() external {
        assertSays(passed(10_000), 10_000, "attested");
        assertSays(passed(8_765), 8_765, "attested");
    }

    function test_AClaimThatStood_Says100() external {
        Terms memory t = fresh();
        open(t);
        propose(t, 600);
        passDeadline(t);
        finalize(t);
        assertSays(t, 10_000, "finalized");
    }

    function test_ARulingForTheProvider_Says100_AndOneThatSlashed_0() external {
        Terms memory t = fresh();
        openDisputed(t);
        rule(t, ruling(t, 600, 0, 0));
        assertSays(t, 10_000, "ruled");
        t = fresh();
        openDisputed(t);
        rule(t, ruling(t, 600, 1, 0));
        assertSays(t, 0, "ruled");
    }

    function test_AnAgreementThatPaid_Says100_AndAfterAFail_Nothing() external {
        Terms memory t = fresh();
        open(t);
        agree(t, 300);
        assertSays(t, 10_000, "agreed");
        t = fresh();
        open(t);
        fail(t);
        agree(t, 300);
        assertSaysNothing(t);
    }

    function test_AFailThatStood_AndNothingByTheEnd_Say0() external {
        Terms memory t = fresh();
        open(t);
        fail(t);
        passDeadline(t);
        finalize(t);
        assertSays(t, 0, "finalized");
        t = fresh();
        open(t);
        passDeadline(t);
        reclaim(t);
        assertSays(t, 0, "reclaimed");
    }

    function test_NothingPaidAndNobodyAtFault_SaysNothing() external {
        Terms memory t = fresh();
        open(t);
        noFault(t);
        passDeadline(t);
        finalize(t);
        assertSaysNothing(t);
        t = fresh();
        open(t);
        agree(t, 0);
        assertSaysNothing(t);
    }

    // ---------------------------------------------------------------- publish

    function test_Publish_RevertWhen_TheJobIsUnknown_Live_Cancelled_OrPublished() external {
        Terms memory t = fresh();
        vm.expectRevert(about(IERC8004Export.NotSettled.selector, t));
        export_.publish(t);
        open(t);
        vm.expectRevert(about(IERC8004Export.NotSettled.selector, t));
        export_.publish(t);
        pass(t, 600);
        export_.publish(t);
        vm.expectRevert(about(IERC8004Export.AlreadyPublished.selector, t));
        export_.publish(t);

        t = fresh();
        vm.prank(buyer);
        escrow.cancel(t);
        vm.expectRevert(about(IERC8004Export.NotSettled.selector, t));
        export_.publish(t);
    }

    function test_Publish_RevertWhen_TheProviderIsBoundToNoAgent() external {
        enlist(sponsor);
        Terms memory t = fresh();
        t.provider = sponsor;
        open(t);
        pass(t, 600);
        vm.expectRevert(abi.encodeWithSelector(IERC8004Export.NotBound.selector, sponsor));
        export_.publish(t);
    }

    function test_Publish_RevertWhen_TheAgentMadeTheExportItsOperator_AndLaterItCan() external {
        vm.prank(provider);
        identity.setApprovalForAll(address(export_), true);
        Terms memory t = passed(1);
        vm.expectRevert("Self-feedback not allowed");
        export_.publish(t);
        vm.assertFalse(export_.isPublished(escrow.jobIdOf(t)));
        vm.prank(provider);
        identity.setApprovalForAll(address(export_), false);
        assertSays(t, 1, "attested");
    }

    /// @dev The registry's own summary of the export is what the jobs said, each once.
    function testFuzz_TheSummary_IsWhatTheJobsSaid(uint16[5] memory qualities) external {
        int256 sum;
        for (uint256 i; i < 5; ++i) {
            uint16 quality = uint16(bound(qualities[i], 0, 10_000));
            sum += int256(uint256(quality));
            export_.publish(passed(quality));
        }
        (uint64 count, int128 average) = reputation.getSummary(agentId, address(export_));
        vm.assertEq(uint256(count), 5);
        vm.assertEq(int256(average), sum / 5);
        vm.assertEq(export_.published(provider), 5);
    }

    // ---------------------------------------------------------------- validate

    function request(address validator, uint256 of_, address asker, JobId id) private {
        bytes32 requestHash = export_.requestHashOf(id);
        vm.prank(asker);
        validation.validationRequest(validator, of_, "ipfs://evidence", requestHash);
    }

    function test_Validate_AnswersInWholePercent_AndAgainTheSame() external {
        Terms memory t = passed(8_765);
        JobId id = escrow.jobIdOf(t);
        request(address(export_), agentId, provider, id);
        bytes32 requestHash = export_.requestHashOf(id);
        for (uint256 i; i < 2; ++i) {
            vm.expectEmit(address(export_));
            emit IERC8004Export.ValidationPublished(id, agentId, requestHash, 87);
            export_.validate(t);
        }
        (, uint256 of_, uint8 response, bytes32 responseHash, string memory tag,) =
            validation.getValidationStatus(requestHash);
        vm.assertEq(of_, agentId);
        vm.assertEq(uint256(response), 87);
        vm.assertEq(responseHash, JobId.unwrap(id));
        vm.assertEq(tag, "attested");
    }

    function test_Validate_RevertWhen_AnotherAgentOrValidatorWasAskedFor() external {
        Terms memory t = passed(10_000);
        vm.expectRevert("unknown");
        export_.validate(t);
        JobId id = escrow.jobIdOf(t);
        request(address(export_), 0, relayer, id); // the relayer's agent
        vm.expectRevert(abi.encodeWithSelector(IERC8004Export.NotRequested.selector, id, export_.requestHashOf(id)));
        export_.validate(t);

        t = passed(10_000);
        id = escrow.jobIdOf(t);
        request(relayer, agentId, provider, id);
        bytes32 requestHash = export_.requestHashOf(id);
        vm.expectRevert(abi.encodeWithSelector(IERC8004Export.NotRequested.selector, id, requestHash));
        export_.validate(t);
    }
}
