"""From an offer in a provider's settings to the executor behind it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from computility.domain.errors import ExecutorUnfit
from computility.execution.command_executor import CommandBounds
from computility.execution.executor import Executor
from computility.execution.gpu.assigned_cards import assigned_pool
from computility.execution.gpu.card_pool import CardPool
from computility.execution.gpu.nvml_cards import find_cards
from computility.services.provider_config import Offer, ProviderConfig

_MIB: Final = 1024**2


def name_of(offer: Offer) -> str:
    """What an offer runs, and where: offers of one name share an executor."""
    tools = ", ".join(f"{name} {version}" for name, version in sorted(offer.toolset.items()))
    gpus = f"GPUs {', '.join(offer.gpus)}" if isinstance(offer.gpus, tuple) and offer.gpus else ""
    if not gpus and offer.gpus:
        gpus = f"{offer.gpus} GPUs"
    where = "" if offer.on == "here" else f"on {offer.on}"
    within = "; ".join(filter(None, (where, tools, gpus)))
    return f"{offer.kind} ({within})" if within else offer.kind


def maker_of(config: ProviderConfig, offer: Offer) -> Callable[[], Executor]:
    """Makes the executor of an offer. Made is not tested.

    Raises, when it is called:
        ExecutorUnfit: something that it needs is not on this machine, or not in the settings.
    """
    if offer.on == "slurm":
        return lambda: _on_slurm(config, offer)
    if offer.on == "kubernetes":
        return lambda: _on_kubernetes(config, offer)
    here = {"wasm": _wasm, "process": _process, "container": _container}[offer.kind]
    if offer.on == "ray":
        with_cards = (lambda: _process(config, offer, assigned_pool(find_cards()))) if offer.gpus else None
        return lambda: _on_ray(config, lambda: here(config, offer), with_cards)
    return lambda: here(config, offer)


def _bounds(config: ProviderConfig, offer: Offer) -> CommandBounds:
    work = config.work
    return CommandBounds(
        memory_bytes=config.max_memory_bytes,
        input_bytes=work.input_mib * _MIB,
        output_bytes=work.output_mib * _MIB,
        wall_s=work.timeout_s,
        parallel=work.parallel,
        gpus=offer.gpus if isinstance(offer.gpus, int) else 0,
    )


def _wasm(config: ProviderConfig, offer: Offer) -> Executor:
    from computility.execution.wasm.executor import WasmExecutor

    work = config.work
    return WasmExecutor(
        timeout_s=work.timeout_s,
        max_memory_bytes=config.max_memory_bytes,
        max_output_bytes=work.output_mib * _MIB,
        max_input_bytes=work.input_mib * _MIB,
    )


def _process(config: ProviderConfig, offer: Offer, cards: CardPool | None = None) -> Executor:
    from computility.execution.sandbox.process_executor import ProcessExecutor

    return ProcessExecutor(
        _bounds(config, offer),
        tools=offer.tools,
        toolset=offer.toolset,
        cgroup_parent=config.work.cgroup,
        gpus=cards or _cards_of(offer),
    )


def _container(config: ProviderConfig, offer: Offer) -> Executor:
    from computility.execution.container.container_executor import ContainerExecutor
    from computility.execution.container.engine import find_engine

    wanted = config.container
    if wanted is None:
        raise ExecutorUnfit("the settings have no section [container]: it names the image that proves the walls")
    return ContainerExecutor(
        find_engine(wanted.engine, wanted.runtime),
        _bounds(config, offer),
        probe=wanted.probe,
        images=wanted.images,
        pull_s=wanted.pull_s,
        gpus=_cards_of(offer),
    )


def _on_ray(
    config: ProviderConfig, make: Callable[[], Executor], make_with_cards: Callable[[], Executor] | None
) -> Executor:
    from computility.execution.ray_executor import RayCluster, RayExecutor

    wanted = config.ray
    try:
        token = wanted.token_file.expanduser().read_text().strip() if wanted.token_file else None
    except OSError as error:
        raise ExecutorUnfit(
            f"the token of the Ray cluster cannot be read: {wanted.token_file}: {error.strerror}"
        ) from error
    cluster = RayCluster(wanted.address or None, wanted.cpus or None, token, queue_s=wanted.queue_s)
    return RayExecutor(make, cluster, make_with_cards=make_with_cards)


def _on_slurm(config: ProviderConfig, offer: Offer) -> Executor:
    from computility.execution.slurm.cluster import SlurmCluster
    from computility.execution.slurm.node_settings import NodeSettings
    from computility.execution.slurm.slurm_executor import SlurmExecutor

    wanted = config.slurm
    if wanted is None:
        raise ExecutorUnfit("the settings have no section [slurm]: it names the folder that the cluster shares")
    cluster = SlurmCluster(
        shared=wanted.shared,
        partition=wanted.partition,
        account=wanted.account,
        options=wanted.options,
        python=str(wanted.python or sys.executable),
        cpus=wanted.cpus,
        gpu_type=wanted.gpu_type,
        queue_s=wanted.queue_s,
    )
    return SlurmExecutor(NodeSettings(offer.kind, _bounds(config, offer), offer.tools, offer.toolset), cluster)


def _on_kubernetes(config: ProviderConfig, offer: Offer) -> Executor:
    from computility.execution.kubernetes.cluster import KubernetesCluster
    from computility.execution.kubernetes.kubernetes_executor import KubernetesExecutor

    if config.kubernetes is None:
        raise ExecutorUnfit("the settings have no section [kubernetes]: it names the volume that the cluster shares")
    cluster = KubernetesCluster(**dict(config.kubernetes))
    return KubernetesExecutor(cluster, _bounds(config, offer), toolset=offer.toolset)


def _cards_of(offer: Offer) -> CardPool | None:
    if not offer.gpus or isinstance(offer.gpus, int):
        return None
    return CardPool(find_cards(), () if offer.gpus == "all" else offer.gpus)
