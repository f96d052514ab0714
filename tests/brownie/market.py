"""A generation of contracts on Brownie's chain, deployed as the deployer does. `make brownie` opens a console on it."""

from collections import namedtuple

from brownie import ComputeCredit, CreditScores, DevReserve, JobEscrow, ProviderRegistry, Timelock, accounts

CREDIT = 10**18
NOBODY = "0x" + "00" * 20

Market = namedtuple("Market", ("reserve", "credit", "timelock", "registry", "scores", "escrow"))


def deploy_market(deployer):
    """Every contract of a trade. The registry and the scores are told where the escrow will be."""
    reserve = DevReserve.deploy({"from": deployer})
    credit = ComputeCredit.deploy(reserve, {"from": deployer})
    timelock = Timelock.deploy(2 * 86_400, [deployer], [NOBODY], {"from": deployer})
    escrow_to_be = deployer.get_deployment_address(deployer.nonce + 2)
    registry = ProviderRegistry.deploy(credit, timelock, (10 * CREDIT, 60, True), escrow_to_be, {"from": deployer})
    scores = CreditScores.deploy(escrow_to_be, {"from": deployer})
    parameters = ((100, 80, 60, 40), (2_000, 1_500, 1_000, 500), (0, 0, 0, 0), 1, deployer, deployer)
    escrow = JobEscrow.deploy(credit, registry, timelock, parameters, {"from": deployer})
    return Market(reserve, credit, timelock, registry, scores, escrow)


def main():
    """Deploy, name what was deployed, and leave the names to the console."""
    # The console takes the local names over.
    reserve, credit, timelock, registry, scores, escrow = market = deploy_market(accounts[0])  # noqa: RUF059
    for name, contract in market._asdict().items():
        print(f"{name:9} {contract.address}  {contract._name}")
    return market
