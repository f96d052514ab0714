"""``HardwareClaim``: which cards (or processors) a provider says stand behind its resources. What it claims is challenged together."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final

from computility.domain.canonical_document import CanonicalDocument
from computility.domain.canonical_json import parse_canonical_json
from computility.domain.eip712 import Message, StructType
from computility.domain.errors import InvalidMessage
from computility.domain.identifiers import Address, Bytes32
from computility.domain.resource import parse_resource

VERSION: Final = 1
MAX_CLAIM_BYTES: Final = 256 * 1024
MAX_DEVICES: Final = 1_024
_MAX_INTEGER: Final = 2**53 - 1


@dataclass(frozen=True)
class HardwareClaim(Message):
    """``devices`` is the SHA-256 of a `DeviceList` in the content store. A provider's newest claim stands."""

    STRUCT: ClassVar[StructType] = StructType("HardwareClaim(address provider,bytes32 devices,uint40 at)")

    provider: Address
    devices: Bytes32
    at: int


@dataclass(frozen=True)
class Device:
    """One card or one machine's processors: the ``resource`` it stands behind, an id of its own, its model, bytes of its memory."""

    resource: str
    id: str
    model: str
    memory_bytes: int


@dataclass(frozen=True)
class DeviceList(CanonicalDocument):
    """Everything that one provider claims.

    Raises:
        InvalidMessage: no device, too many, one twice, or a field that does not fit.
    """

    devices: tuple[Device, ...]
    version: int = VERSION

    def __post_init__(self) -> None:
        ids = [device.id for device in self.devices]
        if self.version != VERSION or not 1 <= len(ids) <= MAX_DEVICES or len(set(ids)) != len(ids):
            raise InvalidMessage(f"a list of version {VERSION} has between 1 and {MAX_DEVICES} devices, each once")
        for device in self.devices:
            parse_resource(device.resource)
            if not all(
                isinstance(text, str) and 0 < len(text) <= 128 and text.isprintable()
                for text in (device.id, device.model)
            ):
                raise InvalidMessage("a device has an id and a model of at most 128 characters")
            if type(device.memory_bytes) is not int or not 0 <= device.memory_bytes <= _MAX_INTEGER:
                raise InvalidMessage("the memory of a device is a number of bytes")

    @property
    def ids(self) -> tuple[str, ...]:
        """What a challenge names: all of them."""
        return tuple(device.id for device in self.devices)

    @property
    def resources(self) -> tuple[str, ...]:
        """The resources behind which they stand, sorted."""
        return tuple(sorted({device.resource for device in self.devices}))

    def to_document(self) -> dict[str, Any]:
        """As a JSON object."""
        return {"version": self.version, "devices": [asdict(device) for device in self.devices]}


def parse_device_list(data: bytes) -> DeviceList:
    """Read a list.

    Raises:
        InvalidMessage: not canonical JSON, or an unknown, missing or ill-formed field.
    """
    document = parse_canonical_json(data, MAX_CLAIM_BYTES, InvalidMessage)
    try:
        listed = DeviceList(tuple(Device(**device) for device in document["devices"]), document["version"])
    except (KeyError, TypeError) as error:
        raise InvalidMessage(f"a field of the devices is missing, unknown or of another type: {error}") from error
    if listed.to_bytes() != data:
        raise InvalidMessage("a list of devices has the fields version and devices")
    return listed
