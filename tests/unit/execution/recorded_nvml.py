"""NVIDIA's management library as it would answer for two H100, for tests on machines without one: its names, its shapes, its refusals."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


class NVMLError(Exception):
    """A refusal."""


class RecordedNvml:
    """Two cards. What a test changes in ``rows``, ``errors``, ``energy`` or ``refused`` is what the library says from then on."""

    NVMLError = NVMLError
    NVML_MEMORY_ERROR_TYPE_UNCORRECTED = 1
    NVML_VOLATILE_ECC = 0
    NVML_COMPUTEMODE_PROHIBITED = 2
    NVML_CLOCK_SM, NVML_CLOCK_MEM, NVML_TEMPERATURE_GPU = 1, 2, 0
    NVML_FEATURE_ENABLED = 1
    nvmlClocksThrottleReasonHwThermalSlowdown = 0x40  # noqa: N815 - the library's own names, here and below
    nvmlClocksThrottleReasonHwPowerBrakeSlowdown = 0x80  # noqa: N815

    def __init__(self) -> None:
        self.uuids = ["GPU-1a2b3c4d-0000-0000-0000-000000000001", "GPU-1a2b3c4d-0000-0000-0000-000000000002"]
        self.names = ["NVIDIA H100 80GB HBM3", "NVIDIA H100 80GB HBM3"]
        self.errors = [0, 0]
        self.rows = [(0, 0, 0, 0), (0, 0, 0, 0)]
        self.mig = [(0, 0), (0, 0)]
        self.held_back = [0, 0]
        self.energy = [5_000_000, 9_000_000]
        self.processes: list[list[SimpleNamespace]] = [[], []]
        self.refused: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("nvml"):
            raise AttributeError(name)
        answer = getattr(type(self), f"_{name}", None)

        def ask(*arguments: Any) -> Any:
            if answer is None or name in self.refused:
                raise NVMLError("Not Supported")
            return answer(self, *arguments)

        return ask

    def _nvmlSystemGetDriverVersion(self) -> str:  # noqa: N802
        return "580.159.04"

    def _nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return len(self.uuids)

    def _nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        return index

    def _nvmlDeviceGetHandleByUUID(self, uuid: str) -> int:  # noqa: N802
        if uuid not in self.uuids:
            raise NVMLError("Not Found")
        return self.uuids.index(uuid)

    def _nvmlDeviceGetUUID(self, handle: int) -> str:  # noqa: N802
        return self.uuids[handle]

    def _nvmlDeviceGetName(self, handle: int) -> str:  # noqa: N802
        return self.names[handle]

    def _nvmlDeviceGetMinorNumber(self, handle: int) -> int:  # noqa: N802
        return handle

    def _nvmlDeviceGetPciInfo(self, handle: int) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(busId=f"00000000:0{handle}:00.0")

    def _nvmlDeviceGetMemoryInfo(self, handle: int) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(total=81_559 * 2**20, used=2**30)

    def _nvmlDeviceGetCudaComputeCapability(self, handle: int) -> tuple[int, int]:  # noqa: N802
        return (9, 0)

    def _nvmlDeviceGetPowerManagementLimitConstraints(self, handle: int) -> list[int]:  # noqa: N802
        return [200_000, 700_000]

    def _nvmlDeviceGetEnforcedPowerLimit(self, handle: int) -> int:  # noqa: N802
        return 650_000

    def _nvmlDeviceGetMigMode(self, handle: int) -> tuple[int, int]:  # noqa: N802
        return self.mig[handle]

    def _nvmlDeviceGetTotalEccErrors(self, handle: int, kind: int, counter: int) -> int:  # noqa: N802
        return self.errors[handle]

    def _nvmlDeviceGetRemappedRows(self, handle: int) -> tuple[int, int, int, int]:  # noqa: N802
        return self.rows[handle]

    def _nvmlDeviceGetCurrentClocksThrottleReasons(self, handle: int) -> int:  # noqa: N802
        return self.held_back[handle]

    def _nvmlDeviceGetTotalEnergyConsumption(self, handle: int) -> int:  # noqa: N802
        return self.energy[handle]

    def _nvmlDeviceGetPowerUsage(self, handle: int) -> int:  # noqa: N802
        return 310_000

    def _nvmlDeviceGetUtilizationRates(self, handle: int) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(gpu=97, memory=40)

    def _nvmlDeviceGetComputeRunningProcesses(self, handle: int) -> list[SimpleNamespace]:  # noqa: N802
        return self.processes[handle]

    def _nvmlDeviceGetProcessUtilization(self, handle: int, since: int) -> list[SimpleNamespace]:  # noqa: N802
        return [SimpleNamespace(pid=entry.pid, smUtil=88) for entry in self.processes[handle]]

    def _nvmlDeviceGetAccountingPids(self, handle: int) -> list[int]:  # noqa: N802
        return [4242]

    def _nvmlDeviceGetAccountingStats(self, handle: int, pid: int) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(
            maxMemoryUsage=3 * 2**30, time=1234, gpuUtilization=91, memoryUtilization=2**32 - 1, isRunning=0
        )
