// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC8183} from "../../../contracts/interfaces/IERC8183.sol";
import {IERC8183Adapter} from "../../../contracts/interfaces/IERC8183Adapter.sol";
import {IERC8183Seat} from "../../../contracts/interfaces/IERC8183Seat.sol";
import {Trade} from "../fixture/Trade.sol";

/// @notice A client and an evaluator that know ERC-8183 alone, and a provider that has a seat.
abstract contract AgenticTrade is Trade {
    uint256 internal constant BUDGET = 10e18;
    uint104 internal constant OWN = 50e18;
    bytes32 internal constant DELIVERABLE = keccak256("deliverable");
    bytes32 internal constant REASON = keccak256("reason");

    IERC8183Adapter internal adapter;
    IERC8183 internal market;
    IERC8183Seat internal seat;
    address internal client;
    address internal evaluator;
    address internal agent;

    function setUp() public virtual override {
        super.setUp();
        adapter = IERC8183Adapter(create("ERC8183Adapter", abi.encode(escrow)));
        market = IERC8183(address(adapter));
        client = actor("client");
        evaluator = actor("evaluator");
        agent = actor("agent");
        seat = seatFor(agent);
        fund(client, 1_000e18);
        vm.prank(client);
        credit.approve(address(market), type(uint256).max);
    }

    /// @notice A seat that the registry lists, with `OWN` of free balance for bonds.
    function seatFor(address provider_) internal returns (IERC8183Seat taken) {
        vm.prank(provider_);
        taken = IERC8183Seat(adapter.takeSeat());
        fund(provider_, PROVIDER_STAKE);
        vm.startPrank(provider_);
        credit.approve(address(taken), PROVIDER_STAKE);
        taken.enter(PROVIDER_STAKE);
        vm.stopPrank();
        endow(address(taken), OWN);
    }

    // ---------------------------------------------------------------- the standard's calls, each by who may make it

    function create(address hook) internal returns (uint256 job) {
        vm.prank(client);
        return market.createJob(agent, evaluator, block.timestamp + 1 days, "summarise", hook);
    }

    function openJob() internal returns (uint256 job) {
        job = create(address(0));
        vm.prank(agent);
        market.setBudget(job, BUDGET, "");
    }

    function fundedJob() internal returns (uint256 job) {
        job = openJob();
        vm.prank(client);
        market.fund(job, BUDGET, "");
    }

    function submittedJob() internal returns (uint256 job) {
        job = fundedJob();
        vm.prank(agent);
        market.submit(job, DELIVERABLE, "");
    }

    function assertStatus(uint256 job, IERC8183.JobStatus status) internal view {
        vm.assertEq(uint256(market.getJob(job).status), uint256(status), "status");
    }

    /// @dev Whatever happened: nothing stays with the adapter, and nothing with a seat's wallet.
    function assertNothingStays() internal view {
        vm.assertEq(credit.balanceOf(address(adapter)), 0, "wallet of the adapter");
        vm.assertEq(credit.balanceOf(address(seat)), 0, "wallet of the seat");
        vm.assertEq(uint256(escrow.accountOf(address(adapter)).free), 0, "balance of the adapter");
        vm.assertEq(adapter.voiced(), bytes32(uint256(1)), "voiced");
    }

    function assertSeat(uint256 free, uint256 locked) internal view {
        vm.assertEq(uint256(escrow.accountOf(address(seat)).free), free, "free of the seat");
        vm.assertEq(uint256(escrow.accountOf(address(seat)).locked), locked, "locked of the seat");
    }

    function expectRevert(bytes4 selector, address sender) internal {
        vm.expectRevert(abi.encodeWithSelector(selector));
        vm.prank(sender);
    }
}
