"""Files of a job, written so that they can be run.

The kernel runs no file that anybody has open for writing (`ETXTBSY`), and whatever this process starts in that moment, in another thread, holds its
open files until it has become another program. So a file that is written is not ready before the last of those has let it go.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from pathlib import Path
from typing import Final

from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from computility.domain.errors import ExecutorCrashed

_LET_GO_S: Final = 10.0
_LOOK_AGAIN_S: Final = 0.000_5
_NO_LEASES: Final = (errno.EINVAL, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES)
"""How file systems say that they have none, and the kernel that the file is another's: then nothing is known, and nothing waited for."""


def write_job_file(path: Path, data: bytes) -> None:
    """Write a file that a job may read and run, once nobody has it open for writing any more.

    Raises:
        ExecutorCrashed: somebody still has after ten seconds.
        OSError: it cannot be written.
    """
    path.write_bytes(data)
    path.chmod(0o555)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _nobody_writes(descriptor)
    except RetryError as error:
        raise ExecutorCrashed(
            f"a file of the job is still open for writing after {_LET_GO_S:g} s: {path.name}"
        ) from error
    except OSError as error:
        if error.errno not in _NO_LEASES:
            raise
    finally:
        os.close(descriptor)


def _nobody_writes(descriptor: int) -> None:
    # A lease to read is granted where nobody writes, in whatever process.
    for attempt in Retrying(
        retry=retry_if_exception_type(BlockingIOError),
        stop=stop_after_delay(_LET_GO_S),
        wait=wait_fixed(_LOOK_AGAIN_S),
    ):
        with attempt:
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    with contextlib.suppress(OSError):
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
