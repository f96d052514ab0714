"""A provider's one file: who it is, what it offers and at which price, whom it trusts, when it collects. TOML.

The file names a password file and never holds a password. Unknown settings are errors: a misspelt limit must not be a missing limit.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from computility.domain.errors import InvalidMessage
from computility.domain.identifiers import Address, parse_address
from computility.domain.resource import parse_resource
from computility.domain.units import parse_credits

MAX_CONFIG_BYTES: Final = 256 * 1024
AUTO: Final = "auto"
DEVICE: Final = r"auto|cpu|cuda:(?:0|[1-9][0-9]{0,2})"
"""What products may be checked on, as a pattern."""
_MIB: Final = 1024**2


def _spelled(parse: Callable[[str], object]) -> Callable[[str], str]:
    def check(text: str) -> str:
        try:
            parse(text)
        except InvalidMessage as error:
            raise ValueError(str(error)) from error
        return text

    return check


Credits = Annotated[str, AfterValidator(_spelled(parse_credits))]
Account = Annotated[str, AfterValidator(_spelled(parse_address))]
ImageByDigest = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._/:-]*@sha256:[0-9a-f]{64}$")]
Deterministic = Annotated[str, Field(pattern=r"^([0-9a-f]{64}|[a-z0-9][a-z0-9._/:-]*@sha256:[0-9a-f]{64})$")]
ResourceUrn = Annotated[str, AfterValidator(_spelled(parse_resource))]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Connection(_Section):
    """Where the node and the chain are, and the key that signs."""

    node: str = "http://127.0.0.1:8000"
    rpc: str = "http://127.0.0.1:8545"
    keystore: Path = Path("~/.computility/keystore.json")
    password_file: Path | None = None
    escrow: Account | None = None
    confirmations: int = Field(default=0, ge=0)


class Trust(_Section):
    """Verifiers and arbiters that are accepted; the node's committee where no verifier is named. ``leases_by_buyers``: the buyer of a lease may
    co-sign its meter, whoever it is: one interval is at risk. ``deterministic`` are programs whose runs come to the same bytes everywhere, by the
    SHA-256 of their files, and images by digest: only of these it stakes a bond on equal bytes or on a replay, where a kind does not promise them."""

    verifiers: tuple[Account, ...] = ()
    arbiters: tuple[Account, ...] = ()
    leases_by_buyers: bool = True
    deterministic: tuple[Deterministic, ...] = ()


class Work(_Section):
    """What one job may take of this machine, and how many run at one time. ``held`` is where outputs wait that a verifier may ask for; ``attests``
    are the vendors whose attestations jobs can bring along from here. ``plant_for`` are buyers of your own whose jobs get wrong results on
    purpose, to see which verifiers look (`computility verifier probe --planted`): each costs what a wrong result costs."""

    parallel: int = Field(default=2, ge=1, le=1024)
    timeout_s: int = Field(default=300, ge=1)
    memory_mib: int = Field(default=1024, ge=1)
    input_mib: int = Field(default=64, ge=1)
    output_mib: int = Field(default=64, ge=1)
    held: Path = Path("~/.computility/held")
    cgroup: Path | None = None
    attests: tuple[Literal["tdx", "sev-snp", "nvidia"], ...] = ()
    plant_for: tuple[Account, ...] = ()


class Verifying(_Section):
    """What `verifier serve --config` and `audit verdict --config` check matrix products on: a card that is free, the processor, or one card."""

    device: Annotated[str, Field(pattern=f"^({DEVICE})$")] = AUTO


class Collect(_Section):
    """When to claim without a verifier, and when to bring what was earned to the wallet: one transfer for many jobs, once it is above
    ``withdraw_above`` beside the ``keep`` that bonds need. Empty never withdraws. ``contest_fails``: whether a fail that an own run of the job
    contradicts is disputed, which can cost the arbiter's fee."""

    patience_s: int = Field(default=60, ge=0)
    propose_before_end_s: int = Field(default=30, ge=1)
    contest_fails: bool = True
    withdraw_above: Credits | Literal[""] = ""
    keep: Credits = "10"


class Metrics(_Section):
    """Where Prometheus may scrape; port 0 is off. Loopback unless said otherwise: the numbers are a business's own."""

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)


class Containers(_Section):
    """How containers are run: the ``engine``, whichever answers where none is named, and its OCI ``runtime``. ``probe`` is an image by digest with a
    shell and ``true`` in it, to prove the walls with. ``images`` are prefixes of image names that may be pulled: others run where they are here."""

    engine: Literal["", "podman", "docker"] = ""
    runtime: str = ""
    probe: ImageByDigest
    images: tuple[str, ...] = ()
    pull_s: int = Field(default=600, ge=1)


class Ray(_Section):
    """The provider's own cluster. Without an ``address`` one is started on this machine, with ``cpus`` places: all of them for 0. Its machines tell
    Ray of their GPUs (``ray start --num-gpus``)."""

    address: str = ""
    token_file: Path | None = None
    cpus: int = Field(default=0, ge=0)
    queue_s: int = Field(default=3600, ge=1)


class Slurm(_Section):
    """The provider's Slurm cluster, whose commands are on this machine. ``shared`` is a folder that this machine and all of the cluster see by one
    path, ``python`` one with this package on them: this very one where none is named. ``options`` are more of ``sbatch``'s, like ``--qos=low``;
    ``cpus`` is the most of a job; ``gpu_type`` is what the cluster calls its cards among its generic resources, where it has several."""

    shared: Path
    partition: str = ""
    account: str = ""
    options: tuple[Annotated[str, Field(pattern=r"^--[a-z][a-z-]*(=.*)?$")], ...] = ()
    python: Path | None = None
    cpus: int = Field(default=1, ge=1)
    gpu_type: str = Field(default="", pattern=r"^[A-Za-z0-9_.-]*$")
    queue_s: int = Field(default=3600, ge=1)


class Kubernetes(_Section):
    """The provider's Kubernetes cluster, by kubectl's own settings unless a ``kubeconfig`` or ``context`` is named. ``claim`` is a volume claim in
    the ``namespace`` that many pods may mount, ``shared`` where this machine sees it. ``collector`` is an image by digest with ``sh`` and ``tar``,
    ``probe`` one with a shell and bash, nc or curl to prove the walls with. ``images`` are prefixes of image names that jobs may use."""

    namespace: str = "computility"
    claim: str
    shared: Path
    collector: ImageByDigest
    probe: ImageByDigest
    images: tuple[str, ...] = ()
    kubeconfig: Path | None = None
    context: str = ""
    runtime_class: str = ""
    node_selector: dict[str, str] = {}
    cpus: int = Field(default=1, ge=1)
    queue_s: int = Field(default=3600, ge=1)


class Offer(_Section):
    """An ask that is kept on the market. ``on`` says where its jobs run. ``tools`` are host folders that ``process`` jobs see read-only, ``toolset``
    says by name and version what is in them. ``gpus`` are cards of this machine by UUID, or ``all``; on a cluster the most cards of one job, whose
    model and driver the toolset names (``gpu``, ``nvidia-driver``). The ask's resource is then billed in GPU seconds."""

    kind: Literal["wasm", "process", "container"]
    on: Literal["here", "ray", "slurm", "kubernetes"] = "here"
    resource: ResourceUrn
    price: Credits
    min_units: int = Field(default=1, ge=1)
    max_units: int = Field(default=100_000, ge=1)
    bond_bps: int = Field(default=2_000, ge=0, le=65_535)
    max_concurrent: int = Field(default=2, ge=1)
    dispute_window_s: int = Field(default=3_600, ge=1)
    valid_for_s: int = Field(default=7 * 86_400, ge=60)
    tools: dict[str, str] = {}
    toolset: dict[str, str] = {}
    gpus: Literal["all"] | tuple[str, ...] | Annotated[int, Field(ge=1, le=1024)] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> Offer:
        if self.on in ("ray", "slurm") and self.kind == "container":
            raise ValueError(f"jobs on {self.on} are of kind wasm or process")
        if self.on == "kubernetes" and self.kind != "container":
            raise ValueError("jobs on kubernetes are of kind container")
        if self.gpus and isinstance(self.gpus, int) != (self.on != "here"):
            raise ValueError(
                'gpus are "all" or UUIDs on this machine, and on a cluster a number: the most cards of one job'
            )
        if isinstance(self.gpus, int) and not {"gpu", "nvidia-driver"} <= self.toolset.keys():
            raise ValueError(
                "say which cards the cluster has, as `computility provider bench` tells on one of its machines: "
                'toolset = { gpu = "nvidia-h100-80gb-hbm3", nvidia-driver = "580" }'
            )
        if self.kind != "process" and self.tools:
            raise ValueError("only jobs of kind process see tools")
        return self

    @model_validator(mode="after")
    def _billed_as_it_is_metered(self) -> Offer:
        if self.gpus and self.kind == "wasm":
            raise ValueError("WebAssembly programs reach no GPU: offer GPUs with kind = process or container")
        metric = parse_resource(self.resource).metric
        expected = "mfuel" if self.kind == "wasm" else "gpu-s" if self.gpus else "cpu-s"
        if metric != expected:
            raise ValueError(f"jobs of this offer are metered in {expected}, and its resource says {metric}")
        return self


class ProviderConfig(_Section):
    """The whole file."""

    connection: Connection = Connection()
    trust: Trust = Trust()
    work: Work = Work()
    collect: Collect = Collect()
    verifier: Verifying = Verifying()
    metrics: Metrics = Metrics()
    container: Containers | None = None
    ray: Ray = Ray()
    slurm: Slurm | None = None
    kubernetes: Kubernetes | None = None
    offer: tuple[Offer, ...] = ()

    @property
    def max_memory_bytes(self) -> int:
        """Of one job."""
        return self.work.memory_mib * _MIB

    @property
    def verifiers(self) -> tuple[Address, ...]:
        """Accepted verifiers."""
        return tuple(parse_address(text) for text in self.trust.verifiers)

    @property
    def arbiters(self) -> tuple[Address, ...]:
        """Accepted arbiters."""
        return tuple(parse_address(text) for text in self.trust.arbiters)


def read_provider_config(path: Path) -> ProviderConfig:
    """Read and check the file.

    Raises:
        InvalidMessage: there is none, or a setting is unknown or does not fit; the message names it.
    """
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise InvalidMessage(f"{path} is no configuration: it has more than {MAX_CONFIG_BYTES} bytes")
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidMessage(
            f"{path} cannot be read ({error.strerror}): `computility provider init` writes one"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidMessage(f"{path} is not TOML: {error}") from error
    try:
        return ProviderConfig.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidMessage(f"{path}: {'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from error


TEMPLATE: Final = """\
# A provider's settings: `computility provider serve --config THIS_FILE`.

[connection]
node = "{node}"
rpc = "{rpc}"
keystore = "{keystore}"
{optional}
[trust]
verifiers = []                 # the node's committee where none is named
arbiters = []
leases_by_buyers = true        # whoever rents a sandbox co-signs its meter: one interval is at risk
deterministic = []             # sha256 of programs (`sha256sum FILE`) on whose equal bytes you stake a bond (hash-equality, segment-replay)

[work]                         # of one job
parallel = {parallel}
timeout_s = 300
memory_mib = 1024
input_mib = 64
output_mib = 64

[collect]
patience_s = 60                # for verifiers, before claiming without them
propose_before_end_s = 30
contest_fails = true           # dispute a fail that running the job again contradicts
withdraw_above = ""            # credits; empty leaves what was earned in the escrow
keep = "10"                    # credits that stay there for bonds

[metrics]
port = 0                       # for Prometheus, on loopback; 0 is off

[[offer]]
kind = "wasm"
resource = "urn:computility:wasm:wasmtime:{parallel}x:1g:{region}:{operator}:0001:mfuel"
price = "0.001"                # credits a unit
max_units = 100000
max_concurrent = {parallel}
dispute_window_s = {dispute_window_s}

# Commands in the sandbox (Linux with bubblewrap): uncomment to offer them.
# [[offer]]
# kind = "process"
# resource = "urn:computility:cpu:x86-64:{parallel}x:1g:{region}:{operator}:0002:cpu-s"
# price = "0.001"
# max_units = 86400
# max_concurrent = {parallel}
# dispute_window_s = {dispute_window_s}
# tools = {{ "/opt/venv" = "/srv/venv" }}
# toolset = {{ numpy = "2.4.0" }}

# Commands in OCI images, by Podman or Docker: uncomment both sections, and name an image with a shell to prove the walls with.
# [container]
# probe = "docker.io/library/debian@sha256:…"
# images = ["docker.io/library/"]   # what may be pulled besides
# [[offer]]
# kind = "container"
# resource = "urn:computility:cpu:x86-64:{parallel}x:1g:{region}:{operator}:0004:cpu-s"
# price = "0.001"
# max_units = 86400
# max_concurrent = {parallel}
# dispute_window_s = {dispute_window_s}

# Any offer of wasm or process can run on a Ray cluster of yours (pip install 'computility[ray]'): on = "ray", and
# [ray]
# address = "10.0.0.1:6379"
# token_file = "~/.computility/ray-token"
# or on a Slurm cluster: on = "slurm", and
# [slurm]
# shared = "/shared/computility"
# partition = "idle"
# An offer of kind container can run on Kubernetes (pip install 'computility[kubernetes]'): on = "kubernetes", and
# [kubernetes]
# claim = "computility"             # a ReadWriteMany volume claim
# shared = "/shared/computility"    # where this machine sees it
# collector = "docker.io/library/busybox@sha256:…"
# probe = "docker.io/library/debian@sha256:…"
# An offer with GPUs of a cluster says how many a job may have, and of which model and driver they are:
# gpus = 2
# toolset = {{ gpu = "nvidia-h100-80gb-hbm3", nvidia-driver = "580" }}

# On what `computility verifier serve --config` checks matrix products (pip install 'computility[torch]'): auto, cpu or cuda:N.
# [verifier]
# device = "auto"

# Commands with GPUs, each held by one job at a time (pip install 'computility[gpu]'; `computility provider bench` lists them).
# [[offer]]
# kind = "process"
# gpus = "all"                   # or UUIDs
# resource = "urn:computility:gpu:h100-sxm:1x:80g:{region}:{operator}:0003:gpu-s"
# price = "0.01"
# max_units = 86400
# max_concurrent = 1
# dispute_window_s = {dispute_window_s}
"""
