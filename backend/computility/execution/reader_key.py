"""The keys that seal jobs: X25519 for readers, one random content key for each specification, keys of each attempt derived from it (decision 0071).

A reader's box follows from content key, reader and specification (decision 0120), so that every reader can make those of the others again and see
what is in them.

libsodium through PyNaCl: sealed boxes for the content key, XSalsa20-Poly1305 for files, keyed BLAKE2b to derive.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from nacl.exceptions import CryptoError
from nacl.public import Box, PrivateKey, PublicKey, SealedBox
from nacl.secret import SecretBox

from computility.domain.content_id import content_id_of
from computility.domain.errors import BoxUnfit, ContentMismatch, InvalidIdentifier, NotAReader
from computility.domain.job_specification import InputFile
from computility.domain.sealing import KEY_BYTES, Reader, Sealing
from computility.domain.task_specification import TaskSpecification
from computility.execution.executor import AttemptId

_NONCE_BYTES: Final = SecretBox.NONCE_SIZE
OVERHEAD_BYTES: Final = _NONCE_BYTES + SecretBox.MACBYTES
"""How much longer a sealed file is."""


class ReaderKey:
    """A reader's X25519 key pair."""

    def __init__(self, secret: bytes) -> None:
        self._secret = PrivateKey(secret)

    @classmethod
    def of_account(cls, account_key: bytes) -> ReaderKey:
        """The reader key of an account: derived from its signing key, so that there is nothing more to keep."""
        return cls(hashlib.blake2b(key=account_key, digest_size=KEY_BYTES, person=b"computility-read").digest())

    def __repr__(self) -> str:
        return f"ReaderKey({self.public})"

    @property
    def public(self) -> str:
        """The public key, 0x and 64 hex digits."""
        return "0x" + bytes(self._secret.public_key).hex()

    @property
    def secret(self) -> bytes:
        """The secret key, for a copy of it alone."""
        return bytes(self._secret)

    def open(self, specification: TaskSpecification) -> bytes:
        """The content key of a sealed specification.

        Raises:
            NotAReader: this key is not among its readers.
            BoxUnfit: its box does not open, or belongs to another specification.
        """
        box = specification.sealing.box_for(self.public) if specification.sealing else None
        if box is None:
            raise NotAReader(f"the job is sealed, and {self.public} is not among its readers")
        try:
            opened = SealedBox(self._secret).decrypt(bytes.fromhex(box[2:]))
        except CryptoError as error:
            raise BoxUnfit(
                "the box for this reader cannot be opened: it was damaged or made for another key"
            ) from error
        key, binding = opened[:KEY_BYTES], "0x" + opened[KEY_BYTES:].hex()
        if binding != specification.binding:
            raise BoxUnfit("the box for this reader was made for another specification: somebody copied it")
        return key


def seal_specification(
    specification: TaskSpecification, contents: Mapping[str, bytes], readers: Iterable[str]
) -> tuple[TaskSpecification, dict[str, bytes]]:
    """Seal a job's inputs and outputs to readers, by their public keys. The sealed specification, and the sealed inputs by path.

    Artifacts, arguments and the names of files stay open: what must not be seen belongs into an input.

    Raises:
        InvalidIdentifier: a key that is none.
        InvalidJobSpecification: no reader, or too many.
    """
    key = secrets.token_bytes(KEY_BYTES)
    sealed = {file.path: seal_file(_derived(key, b"inputs"), contents[file.path]) for file in specification.inputs}
    named = tuple(Reader(reader_of(public), "") for public in dict.fromkeys(readers))
    unboxed = replace(
        specification,
        inputs=tuple(InputFile(path, content_id_of(data), len(data)) for path, data in sealed.items()),
        sealing=Sealing(bool(sealed), True, named),
    )
    boxed = tuple(Reader(reader.key, _box(reader.key, key, unboxed.binding)) for reader in named)
    return replace(unboxed, sealing=Sealing(bool(sealed), True, boxed)), sealed


def shut_out(specification: TaskSpecification, content_key: bytes) -> frozenset[str]:
    """Readers, by their public keys, whose box is not the one that the content key makes for them: nobody else could say whether it opens, or what
    it would open to."""
    readers = specification.sealing.readers if specification.sealing is not None else ()
    binding = specification.binding
    return frozenset(reader.key for reader in readers if not _is_box(reader, content_key, binding))


def _is_box(reader: Reader, content_key: bytes, binding: str) -> bool:
    try:
        return _box(reader.key, content_key, binding) == reader.box
    except (CryptoError, InvalidIdentifier):
        # A key that nobody can hold.
        return False


def _box(reader: str, content_key: bytes, binding: str) -> str:
    """The content key in a libsodium sealed box. Its ephemeral key is no random one: it follows from what is in the box, and whom it is for."""
    public, bound = _public(reader), bytes.fromhex(binding[2:])
    once = PrivateKey(_derived(content_key, b"box" + bytes(public) + bound))
    sender = bytes(once.public_key)
    nonce = hashlib.blake2b(sender + bytes(public), digest_size=_NONCE_BYTES).digest()
    return "0x" + (sender + Box(once, public).encrypt(content_key + bound, nonce).ciphertext).hex()


def input_key(content_key: bytes) -> bytes:
    """What the inputs are sealed with."""
    return _derived(content_key, b"inputs")


def output_key(content_key: bytes, attempt: AttemptId) -> bytes:
    """What the outputs of one attempt are sealed with."""
    return _derived(content_key, bytes.fromhex(attempt.job[2:]) + attempt.attempt.to_bytes(4, "big"))


def seal_file(key: bytes, data: bytes) -> bytes:
    """A file sealed under a nonce that nobody chose."""
    return bytes(SecretBox(key).encrypt(data, secrets.token_bytes(_NONCE_BYTES)))


def seal_output(key: bytes, path: str, data: bytes) -> bytes:
    """An output sealed under a nonce that follows from key, path and content: whoever runs the job again and may read it comes to the same bytes."""
    name = path.encode()
    nonce = hashlib.blake2b(len(name).to_bytes(4, "big") + name + data, key=key, digest_size=_NONCE_BYTES).digest()
    return bytes(SecretBox(key).encrypt(data, nonce))


def open_file(key: bytes, sealed: bytes) -> bytes:
    """What was sealed.

    Raises:
        ContentMismatch: it was changed, or sealed with another key.
    """
    try:
        return SecretBox(key).decrypt(sealed)
    except (CryptoError, ValueError) as error:
        raise ContentMismatch(
            "a sealed file does not open: it was changed, or sealed for another job or attempt"
        ) from error


def open_outputs(
    specification: TaskSpecification, attempt: AttemptId, sealed: Mapping[str, bytes], reader: ReaderKey
) -> dict[str, bytes]:
    """The outputs of an attempt, opened.

    Raises:
        NotAReader: the key is not among the readers.
        ContentMismatch: an output was changed, or belongs to another attempt.
    """
    key = output_key(reader.open(specification), attempt)
    return {path: open_file(key, data) for path, data in sealed.items()}


def reader_of(public: str) -> str:
    """Check the spelling of a public reader key.

    Raises:
        InvalidIdentifier: it is none.
    """
    _public(public)
    return public


def _public(public: str) -> PublicKey:
    try:
        if not public.startswith("0x") or public != public.lower():
            raise ValueError(public)
        return PublicKey(bytes.fromhex(public[2:]))
    except (ValueError, TypeError, CryptoError) as error:
        raise InvalidIdentifier(
            f"a reader key is 0x and 64 hex digits in lower case (`computility wallet reader-key` prints one), not {public[:80]!r}"
        ) from error


def _derived(key: bytes, purpose: bytes) -> bytes:
    return hashlib.blake2b(purpose, key=key, digest_size=KEY_BYTES, person=b"computility-seal").digest()
