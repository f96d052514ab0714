"""Sealed jobs: the readers can run and read them, nobody else can, and nothing says what is in them.

a sealed job
├── run by a reader → right, with outputs that only readers open
├── run again by another reader → the same manifest; another attempt → another
├── run by somebody else, unsealed or for a copied box → refused, and no fault of the job
└── changed on the way → refused
"""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest
from tests.integration.execution.sandbox_bench import SandboxBench, needs_bubblewrap

from computility.domain.content_id import content_id_of
from computility.domain.errors import ContentMismatch, InvalidIdentifier, NotAReader, SealedInputUnfit
from computility.domain.identifiers import bytes32
from computility.domain.specification import parse_specification
from computility.domain.task_specification import TaskSpecification
from computility.execution import reader_key
from computility.execution.delegating_executor import DelegatingExecutor
from computility.execution.executor import AttemptId, Execution, Prepared, run_to_end
from computility.execution.reader_key import ReaderKey, open_outputs, seal_file, seal_specification
from computility.execution.sealed_executor import SealedExecutor

BUYER, PROVIDER, VERIFIER, STRANGER = (ReaderKey.of_account(bytes([number]) * 32) for number in range(1, 5))
FIRST = AttemptId(bytes32(b"\x61" * 32), 1)
SECRET = b"the harvest will be poor"


def sealed_job(sandbox: SandboxBench, *script: str) -> TaskSpecification:
    """A command whose input is sealed to buyer, provider and verifier."""
    plain = sandbox.specification(*script, inputs={"note": SECRET})
    specification, sealed = seal_specification(
        plain, {"note": SECRET}, [BUYER.public, PROVIDER.public, VERIFIER.public]
    )
    for data in sealed.values():
        assert SECRET not in data
        sandbox.content.put(data)
    parsed = parse_specification(specification.to_bytes())
    assert parsed == specification
    return specification


def run_as(reader: ReaderKey, sandbox: SandboxBench, job: TaskSpecification, attempt: AttemptId = FIRST) -> Execution:
    """Run it with a reader's key, on an executor that remembers nothing."""
    executor = type(sandbox.executor)()
    return run_to_end(SealedExecutor(executor, reader), attempt, job, sandbox.content)


class Pickling(DelegatingExecutor):
    """Keeps what it was given as Ray would send it."""

    sent = b""

    def start(self, attempt: AttemptId, prepared: Prepared) -> None:
        self.sent = pickle.dumps(prepared)
        super().start(attempt, prepared)


LOUDLY = ("/bin/sh", "-c", "tr a-z A-Z < note > /out/loud; cat note")


@needs_bubblewrap
def test_readers__come_to_one_manifest_and_can_open_what_is_under_it(sandbox: SandboxBench) -> None:
    job = sealed_job(sandbox, *LOUDLY)
    by_provider = run_as(PROVIDER, sandbox, job)
    by_verifier = run_as(VERIFIER, sandbox, job)
    assert by_provider.manifest == by_verifier.manifest
    assert not any(word in b"".join(by_provider.outputs.values()) for word in (SECRET, SECRET.upper()))
    opened = open_outputs(job, FIRST, by_provider.outputs, BUYER)
    assert opened == {"loud": SECRET.upper(), "stdout": SECRET}


@needs_bubblewrap
def test_what_runs_the_job__gets_its_files_and_never_the_content_key(sandbox: SandboxBench) -> None:
    job = sealed_job(sandbox, *LOUDLY)
    watched = Pickling(sandbox.executor)
    attempt = replace(FIRST, attempt=7)
    run_to_end(SealedExecutor(watched, PROVIDER), attempt, job, sandbox.content)
    assert SECRET in watched.sent
    assert PROVIDER.open(job) not in watched.sent


@needs_bubblewrap
def test_attempts__have_keys_of_their_own(sandbox: SandboxBench) -> None:
    job = sealed_job(sandbox, *LOUDLY)
    second = replace(FIRST, attempt=2)
    other = run_as(PROVIDER, sandbox, job, second)
    assert other.manifest != run_as(PROVIDER, sandbox, job).manifest
    with pytest.raises(ContentMismatch, match="another job or attempt"):
        open_outputs(job, FIRST, other.outputs, BUYER)


@needs_bubblewrap
def test_strangers__can_neither_run_nor_read(sandbox: SandboxBench) -> None:
    job = sealed_job(sandbox, *LOUDLY)
    with pytest.raises(NotAReader, match="not among its readers"):
        run_as(STRANGER, sandbox, job)
    outputs = run_as(PROVIDER, sandbox, job).outputs
    with pytest.raises(NotAReader):
        open_outputs(job, FIRST, outputs, STRANGER)


@needs_bubblewrap
def test_a_box__copied_into_a_job_that_prints_its_input__opens_for_nobody(sandbox: SandboxBench) -> None:
    job = sealed_job(sandbox, *LOUDLY)
    assert job.sealing is not None
    leak = replace(job, arguments=("cat", "note"), sealing=replace(job.sealing, outputs=False))
    with pytest.raises(NotAReader, match="somebody copied it"):
        run_as(PROVIDER, sandbox, leak)


@needs_bubblewrap
def test_an_input__changed_on_the_way__is_refused(sandbox: SandboxBench) -> None:
    job = sealed_job(sandbox, *LOUDLY)
    sealed = bytearray(sandbox.content.get(job.inputs[0].cid))
    sealed[-1] ^= 1
    swapped = replace(job.inputs[0], cid=content_id_of(bytes(sealed)))
    sandbox.content.put(bytes(sealed))
    with pytest.raises(NotAReader):
        run_as(PROVIDER, sandbox, replace(job, inputs=(swapped,)))


@needs_bubblewrap
def test_an_input__that_was_sealed_with_another_key__is_its_buyers_fault(
    sandbox: SandboxBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the hash that the job names: nobody changed it on the way."""
    monkeypatch.setattr(reader_key, "seal_file", lambda _, data: seal_file(bytes(32), data))
    job = sealed_job(sandbox, *LOUDLY)
    for reader in (PROVIDER, VERIFIER):
        with pytest.raises(SealedInputUnfit, match="another key than the job's"):
            run_as(reader, sandbox, job)


@needs_bubblewrap
def test_keys__are_never_seen_by_the_job_nor_shown(sandbox: SandboxBench) -> None:
    secret = bytes(PROVIDER._secret).hex()
    job = sealed_job(sandbox, "/bin/sh", "-c", "env; ls -l /proc/self/fd; cat /proc/*/cmdline /proc/*/environ; true")
    executor = SealedExecutor(type(sandbox.executor)(), PROVIDER)
    prepared = executor.prepare(job, sandbox.content)
    content_key = PROVIDER.open(job)
    assert content_key.hex() not in repr(prepared)
    assert repr(content_key)[2:-1] not in repr(prepared)
    assert secret not in repr(PROVIDER)
    executor.start(FIRST, prepared)
    seen = b"".join(open_outputs(job, FIRST, executor.collect(FIRST).outputs, BUYER).values())
    for key in (content_key, bytes(PROVIDER._secret)):
        assert key not in seen
        assert key.hex().encode() not in seen


@needs_bubblewrap
def test_jobs_that_are_not_sealed__pass_through(sandbox: SandboxBench) -> None:
    executor = SealedExecutor(sandbox.executor, PROVIDER)
    executor.self_test()
    execution = run_to_end(executor, replace(FIRST, attempt=8), sandbox.specification("echo", "open"), sandbox.content)
    assert execution.outputs == {"stdout": b"open\n"}


def test_a_reader_key__that_is_none__is_refused(sandbox: SandboxBench) -> None:
    plain = sandbox.specification("true")
    for wrong in ("", "0x12", "0x" + "AB" * 32, PROVIDER.public[2:]):
        with pytest.raises(InvalidIdentifier, match="reader-key"):
            seal_specification(plain, {}, [wrong])
