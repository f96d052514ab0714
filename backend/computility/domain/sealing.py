"""Who can read what a job reads and writes: the part of a specification that names the readers, and the key in a box for each.

The content key is random and new for each specification. A box holds it together with the specification's ``binding``, so that a box copied into
another specification (a program that prints its input, say) opens for nobody. Boxes are libsodium sealed boxes to X25519 keys.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from computility.domain.errors import InvalidJobSpecification

MAX_READERS: Final = 64
KEY_BYTES: Final = 32
BOX_BYTES: Final = 112
"""A content key and a binding of 32 bytes each, and the 48 bytes of a sealed box."""
_READER_KEY: Final = re.compile(r"0x[0-9a-f]{64}")
_BOX: Final = re.compile(rf"0x[0-9a-f]{{{2 * BOX_BYTES}}}")


@dataclass(frozen=True)
class Reader:
    """One who can read: an X25519 public key as 0x and 64 hex digits, and the content key in a box for it as 0x and 224 hex digits, or empty
    in the form that ``binding`` hashes."""

    key: str
    box: str


@dataclass(frozen=True)
class Sealing:
    """``inputs``: the input files are sealed. ``outputs``: the outputs will be. Whoever is a reader can read both; nobody else can.

    Raises:
        InvalidJobSpecification: a field that does not fit.
    """

    inputs: bool
    outputs: bool
    readers: tuple[Reader, ...]

    def __post_init__(self) -> None:
        if not (self.inputs or self.outputs):
            raise InvalidJobSpecification("sealing seals inputs, outputs or both: leave it out where it seals neither")
        if not 1 <= len(self.readers) <= MAX_READERS:
            raise InvalidJobSpecification(f"a sealed job has 1 to {MAX_READERS} readers, not {len(self.readers)}")
        for reader in self.readers:
            if not _READER_KEY.fullmatch(reader.key) or not (reader.box == "" or _BOX.fullmatch(reader.box)):
                raise InvalidJobSpecification(
                    "a reader has a key of 32 bytes and a box of 112, in lower-case hex after 0x"
                )
        if len({reader.key for reader in self.readers}) != len(self.readers):
            raise InvalidJobSpecification("a reader is named twice")

    def to_document(self) -> dict[str, Any]:
        """As a JSON object."""
        return {"inputs": self.inputs, "outputs": self.outputs, "readers": [asdict(reader) for reader in self.readers]}

    def without_boxes(self) -> Sealing:
        """The same with empty boxes: what a binding hashes."""
        return Sealing(self.inputs, self.outputs, tuple(Reader(reader.key, "") for reader in self.readers))

    def box_for(self, key: str) -> str | None:
        """The box of a reader, None for somebody who is none."""
        return next((reader.box for reader in self.readers if reader.key == key and reader.box), None)


def sealing_from_document(document: Mapping[str, Any]) -> Sealing:
    """Read the part of a specification.

    Raises:
        InvalidJobSpecification: it does not fit.
    """
    readers = tuple(Reader(**reader) for reader in document["readers"])
    return Sealing(document["inputs"], document["outputs"], readers)
