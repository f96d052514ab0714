"""NVIDIA's GPUs, through its management library (NVML, ``nvidia-ml-py``). Without driver or library there are none, and it says why.

What a card or driver does not support is None, never zero: a meter must not say that nothing was used where nothing was measured.
Reference: https://docs.nvidia.com/deploy/nvml-api/
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final, TypeVar

from computility.execution.gpu.card import Card, CardHealth, CardReading, Cards, NoCards, ProcessAccount, ProcessUse

_WINDOW_US: Final = 2_000_000
"""How far back utilisation of processes is asked for."""
_UNKNOWN: Final = 2**64 - 1
"""What NVML answers for a number that it does not have."""

Answer = TypeVar("Answer")


class NvmlCards:
    """The cards that a driver shows. ``library`` is the module ``pynvml``, initialised."""

    def __init__(self, library: Any) -> None:
        self._nvml = library
        self._handles: dict[str, Any] = {}

    def found(self) -> tuple[Card, ...]:
        """All of them, by their order on the bus."""
        nvml = self._nvml
        driver = _text(nvml.nvmlSystemGetDriverVersion())
        cards = []
        for index in range(nvml.nvmlDeviceGetCount()):
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            uuid = _text(nvml.nvmlDeviceGetUUID(handle))
            self._handles[uuid] = handle
            capability = self._ask(nvml.nvmlDeviceGetCudaComputeCapability, handle)
            power = self._ask(nvml.nvmlDeviceGetPowerManagementLimitConstraints, handle)
            mode = self._ask(nvml.nvmlDeviceGetMigMode, handle)
            cards.append(
                Card(
                    uuid=uuid,
                    name=_text(nvml.nvmlDeviceGetName(handle)),
                    minor=int(nvml.nvmlDeviceGetMinorNumber(handle)),
                    bus=_text(nvml.nvmlDeviceGetPciInfo(handle).busId),
                    memory_bytes=int(nvml.nvmlDeviceGetMemoryInfo(handle).total),
                    compute_capability=".".join(str(part) for part in capability or ()),
                    driver=driver,
                    power_limit_mw=self._ask(nvml.nvmlDeviceGetEnforcedPowerLimit, handle),
                    highest_power_limit_mw=power[1] if power else None,
                    partitioned=bool(mode and mode[0]),
                )
            )
        return tuple(cards)

    def health(self, uuid: str) -> CardHealth:
        """Whether one may be offered: its memory, its row repairs, its mode; heat, brakes and a narrow bus are warnings."""
        nvml, handle = self._nvml, self._handle(uuid)
        if handle is None:
            return CardHealth((f"the driver shows no card {uuid}",))
        faults, warnings = [], []
        uncorrected = self._ask(
            nvml.nvmlDeviceGetTotalEccErrors, handle, nvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, nvml.NVML_VOLATILE_ECC
        )
        if uncorrected:
            faults.append(f"{uncorrected} uncorrected memory errors since the driver was loaded")
        rows = self._ask(nvml.nvmlDeviceGetRemappedRows, handle)
        if rows is not None and rows[3]:
            faults.append("a row of memory could not be repaired")
        if rows is not None and rows[2]:
            faults.append("a row of memory waits for a reset to be repaired")
        if self._ask(nvml.nvmlDeviceGetRetiredPagesPendingStatus, handle):
            faults.append("pages of memory wait for a reset to be retired")
        if self._ask(nvml.nvmlDeviceGetComputeMode, handle) == nvml.NVML_COMPUTEMODE_PROHIBITED:
            faults.append("its compute mode prohibits computing")
        mode = self._ask(nvml.nvmlDeviceGetMigMode, handle)
        if mode and mode[0]:
            faults.append("it is partitioned (MIG), and slices are not offered")
        held_back = self._ask(nvml.nvmlDeviceGetCurrentClocksThrottleReasons, handle) or 0
        if held_back & nvml.nvmlClocksThrottleReasonHwThermalSlowdown:
            warnings.append("slowed down by heat")
        if held_back & nvml.nvmlClocksThrottleReasonHwPowerBrakeSlowdown:
            warnings.append("slowed down by the power brake")
        widest = self._ask(nvml.nvmlDeviceGetMaxPcieLinkWidth, handle)
        width = self._ask(nvml.nvmlDeviceGetCurrPcieLinkWidth, handle)
        if widest and width and width < widest:
            warnings.append(f"{width} of {widest} PCIe lanes")
        return CardHealth(tuple(faults), tuple(warnings))

    def read(self, uuid: str) -> CardReading:
        """What one does now."""
        nvml, handle = self._nvml, self._handle(uuid)
        if handle is None:
            return CardReading()
        use = self._ask(nvml.nvmlDeviceGetUtilizationRates, handle)
        memory = self._ask(nvml.nvmlDeviceGetMemoryInfo, handle)
        return CardReading(
            energy_mj=self._ask(nvml.nvmlDeviceGetTotalEnergyConsumption, handle),
            power_mw=self._ask(nvml.nvmlDeviceGetPowerUsage, handle),
            sm_percent=None if use is None else int(use.gpu),
            memory_used_bytes=None if memory is None else int(memory.used),
            sm_clock_mhz=self._ask(nvml.nvmlDeviceGetClockInfo, handle, nvml.NVML_CLOCK_SM),
            memory_clock_mhz=self._ask(nvml.nvmlDeviceGetClockInfo, handle, nvml.NVML_CLOCK_MEM),
            temperature_c=self._ask(nvml.nvmlDeviceGetTemperature, handle, nvml.NVML_TEMPERATURE_GPU),
            processes=self._processes(handle),
        )

    def accounts(self, uuid: str) -> Mapping[int, ProcessAccount]:
        """What processes used of one, those that ended included, where root has switched the driver's accounting on."""
        nvml, handle = self._nvml, self._handle(uuid)
        booked = {}
        for pid in (self._ask(nvml.nvmlDeviceGetAccountingPids, handle) or ()) if handle is not None else ():
            stats = self._ask(nvml.nvmlDeviceGetAccountingStats, handle, pid)
            if stats is not None:
                booked[int(pid)] = ProcessAccount(
                    int(pid),
                    _known(stats.maxMemoryUsage),
                    int(stats.time),
                    _known(stats.gpuUtilization, 2**32 - 1),
                    _known(stats.memoryUtilization, 2**32 - 1),
                    bool(stats.isRunning),
                )
        return booked

    def keep_accounts(self, uuid: str) -> bool:
        """Have the driver book what each process uses of a card, which takes root. Whether it does now."""
        nvml, handle = self._nvml, self._handle(uuid)
        if handle is None:
            return False
        if self._ask(nvml.nvmlDeviceGetAccountingMode, handle) != nvml.NVML_FEATURE_ENABLED:
            with contextlib.suppress(nvml.NVMLError):
                nvml.nvmlDeviceSetAccountingMode(handle, nvml.NVML_FEATURE_ENABLED)
        return bool(self._ask(nvml.nvmlDeviceGetAccountingMode, handle) == nvml.NVML_FEATURE_ENABLED)

    def _processes(self, handle: Any) -> tuple[ProcessUse, ...]:
        nvml = self._nvml
        held = {int(entry.pid): entry for entry in self._ask(nvml.nvmlDeviceGetComputeRunningProcesses, handle) or ()}
        since = int(time.time() * 1_000_000) - _WINDOW_US
        busy: dict[int, int] = {}
        for entry in self._ask(nvml.nvmlDeviceGetProcessUtilization, handle, since) or ():
            busy[int(entry.pid)] = max(busy.get(int(entry.pid), 0), int(entry.smUtil))
        return tuple(
            ProcessUse(
                pid,
                _known(held[pid].usedGpuMemory) if pid in held else None,
                busy.get(pid),
            )
            for pid in sorted({*held, *busy})
            if pid
        )

    def _handle(self, uuid: str) -> Any:
        if uuid not in self._handles:
            self._handles[uuid] = self._ask(self._nvml.nvmlDeviceGetHandleByUUID, uuid)
        return self._handles[uuid]

    def _ask(self, question: Callable[..., Answer], *arguments: Any) -> Answer | None:
        try:
            return question(*arguments)
        except self._nvml.NVMLError:
            return None


def find_cards() -> Cards:
    """The GPUs of this machine, asked of its driver; none, with the reason, where there is no driver or no library to ask it."""
    try:
        nvml = import_module("pynvml")
    except ImportError:
        return NoCards("nvidia-ml-py is not installed: pip install 'computility[gpu]'")
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        return NoCards(f"the NVIDIA driver does not answer ({error})")
    cards = NvmlCards(nvml)
    return cards if cards.found() else NoCards("the NVIDIA driver shows no card")


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _known(value: int | None, unknown: int = _UNKNOWN) -> int | None:
    return None if value is None or value == unknown else int(value)
