// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IArbitration} from "../../../contracts/interfaces/IArbitration.sol";
import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {JobState} from "../../../contracts/types/Job.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Panel} from "../fixture/Panel.sol";

/// @notice Every call of an arbitration, by arbiters that vote anything or nothing, on disputes that parties appeal, settle or leave alone. A call may be
/// refused; it may not panic.
contract ArbitrationHandler is Panel {
    uint256 private constant MOST_DISPUTES = 12;

    struct Intent {
        uint64 units;
        uint16 slashBps;
    }

    Terms[] private jobs;
    uint48 private nonce;
    mapping(uint256 dispute => mapping(uint256 round => mapping(address judge => Intent))) private intents;
    mapping(bytes4 selector => uint256) public done;

    error Panicked(bytes4 selector);

    constructor() {
        super.setUp();
        setUpPanel(9);
        for (uint256 i; i < judges.length; ++i) {
            fund(judges[i], 5 * uint256(ARBITER_STAKE));
            approve(judges[i]);
        }
        endow(buyer, 10_000e18);
        endow(provider, 10_000e18);
        fund(buyer, 1_000e18);
        fund(provider, 1_000e18);
        approve(buyer);
        approve(provider);
    }

    function approve(address account) private {
        vm.prank(account);
        credit.approve(address(court), type(uint256).max);
    }

    function tell(address sender, bytes memory data) private returns (bool sent) {
        vm.prank(sender);
        bytes memory answer;
        (sent, answer) = address(court).call(data);
        if (sent) {
            ++done[bytes4(data)];
        } else if (bytes4(answer) == bytes4(keccak256("Panic(uint256)")) || answer.length == 0) {
            revert Panicked(bytes4(data));
        }
    }

    // ---------------------------------------------------------------- arbiters and time

    function comeAndGo(uint256 who, uint256 how) external {
        address judge = judges[who % judges.length];
        if (how % 4 == 0) tell(judge, abi.encodeCall(IArbitration.leave, ()));
        else if (how % 4 == 1) tell(judge, abi.encodeCall(IArbitration.release, ()));
        else if (how % 4 == 2) tell(judge, abi.encodeCall(IArbitration.withdrawFees, (judge)));
        else tell(judge, abi.encodeCall(IArbitration.join, ()));
    }

    function wait(uint32 time, uint16 blocks) external {
        vm.warp(block.timestamp + bound(time, 1, 20 minutes));
        vm.roll(block.number + bound(blocks, 1, 40));
    }

    function waitLong() external {
        vm.warp(block.timestamp + ARBITER_UNBONDING + 1);
    }

    // ---------------------------------------------------------------- disputes

    function dispute(uint104 extra, uint64 units) external {
        if (jobs.length >= MOST_DISPUTES) return;
        Terms memory t = courtTerms();
        t.arbiterFee += uint104(bound(extra, 0, 10));
        t.openBy = uint40(block.timestamp + 1 hours);
        t.end = uint40(block.timestamp + 1 days);
        t.nonce = ++nonce;
        open(t);
        propose(t, uint64(bound(units, 0, t.maxUnits)));
        disputeAs(buyer, t);
        if (tell(relayer, abi.encodeCall(IArbitration.createDispute, (t)))) jobs.push(t);
    }

    function draw(uint256 which) external {
        if (jobs.length == 0) return;
        vm.roll(block.number + 1);
        tell(relayer, abi.encodeCall(IArbitration.draw, (which % jobs.length + 1)));
    }

    /// @notice Some or all of the seated commit.
    function commit(uint256 which, uint64 units, uint16 slashBps, uint8 who) external {
        (bool any, uint256 id, uint8 round, address[] memory seated) = running(which);
        if (!any) return;
        for (uint256 i; i < seated.length; ++i) {
            if ((who >> i) & 1 == 0) continue;
            Intent memory intent = Intent(uint64(bound(units + i, 0, 1_000)), uint16(bound(slashBps, 0, 10_000)));
            bytes32 commitment = court.commitmentOf(id, round, seated[i], intent.units, intent.slashBps, SALT);
            if (tell(seated[i], abi.encodeCall(IArbitration.commit, (id, commitment)))) {
                intents[id][round][seated[i]] = intent;
            }
        }
    }

    function reveal(uint256 which, uint8 who) external {
        (bool any, uint256 id, uint8 round, address[] memory seated) = running(which);
        if (!any) return;
        uint256 commitBy = court.roundOf(id, round).commitBy;
        if (block.timestamp <= commitBy && who % 4 > 0) vm.warp(commitBy + 1);
        for (uint256 i; i < seated.length; ++i) {
            if ((who >> i) & 1 == 0) continue;
            Intent memory intent = intents[id][round][seated[i]];
            tell(seated[i], abi.encodeCall(IArbitration.reveal, (id, intent.units, intent.slashBps, SALT)));
        }
    }

    function appeal(uint256 which, bool byBuyer) external {
        if (jobs.length == 0) return;
        uint256 id = which % jobs.length + 1;
        (uint256 start,) = court.appealPeriod(id);
        if (start > block.timestamp && byBuyer) vm.warp(start);
        tell(byBuyer ? buyer : provider, abi.encodeCall(IArbitration.appeal, (id)));
    }

    function settle(uint256 which, uint64 units) external {
        if (jobs.length == 0 || units % 4 != 0) return;
        Terms memory t = jobs[which % jobs.length];
        if (escrow.jobOf(escrow.jobIdOf(t)).state != JobState.Disputed) return;
        agree(t, uint64(bound(units, 0, t.maxUnits)));
    }

    function end(uint256 which, uint256 how) external {
        if (jobs.length == 0) return;
        uint256 id = which % jobs.length + 1;
        Terms memory t = jobs[id - 1];
        IArbitration.Case memory c = court.caseOf(id);
        IArbitration.Round memory r = court.roundOf(id, c.rounds - 1);
        if (how % 3 > 0 && block.timestamp <= r.appealBy) vm.warp(uint256(r.appealBy) + 1);
        if (how % 5 == 0 && block.timestamp <= c.deadline) vm.warp(uint256(c.deadline) + 1);
        tell(relayer, abi.encodeCall(IArbitration.executeRuling, (id, t)));
        tell(relayer, abi.encodeCall(IArbitration.close, (id)));
    }

    function running(uint256 which) private view returns (bool any, uint256 id, uint8 round, address[] memory seated) {
        if (jobs.length == 0) return (false, 0, 0, seated);
        id = which % jobs.length + 1;
        IArbitration.Case memory c = court.caseOf(id);
        if (c.status != IArbitration.Status.Open) return (false, 0, 0, seated);
        round = c.rounds - 1;
        return (true, id, round, court.panelOf(id, round));
    }

    // ---------------------------------------------------------------- what invariants ask

    function owed() external view returns (uint256 sum) {
        for (uint256 i; i < judges.length; ++i) {
            IArbitration.Arbiter memory a = court.arbiterOf(judges[i]);
            sum += uint256(a.stake) + a.fees;
        }
        for (uint256 id = 1; id <= jobs.length; ++id) {
            IArbitration.Case memory c = court.caseOf(id);
            for (uint8 round = 1; c.status == IArbitration.Status.Open && round < c.rounds; ++round) {
                sum += court.roundOf(id, round).fee;
            }
        }
    }

    function held() external view returns (uint256) {
        return credit.balanceOf(address(court));
    }

    function freeInEscrow() external view returns (uint256) {
        return escrow.accountOf(address(court)).free;
    }

    function sittingsMatch() external view returns (bool) {
        for (uint256 i; i < judges.length; ++i) {
            uint256 sitting;
            for (uint256 id = 1; id <= jobs.length; ++id) {
                IArbitration.Case memory c = court.caseOf(id);
                for (uint8 round; c.status == IArbitration.Status.Open && round < c.rounds; ++round) {
                    address[] memory seated = court.panelOf(id, round);
                    for (uint256 j; j < seated.length; ++j) {
                        if (seated[j] == judges[i]) ++sitting;
                    }
                }
            }
            IArbitration.Arbiter memory a = court.arbiterOf(judges[i]);
            if (a.sitting != sitting || (a.active && a.stake != ARBITER_STAKE)) return false;
        }
        return true;
    }

    /// @notice After every deadline a stranger ends what is open.
    function endEverything() external returns (bool) {
        vm.warp(block.timestamp + 30 days);
        for (uint256 id = 1; id <= jobs.length; ++id) {
            Terms memory t = jobs[id - 1];
            if (escrow.jobOf(escrow.jobIdOf(t)).state != JobState.Closed) finalize(t);
            if (court.caseOf(id).status == IArbitration.Status.Open) court.close(id);
        }
        for (uint256 i; i < judges.length; ++i) {
            if (court.arbiterOf(judges[i]).sitting != 0) return false;
        }
        return true;
    }
}
