"""The seccomp filter of the sandbox, as a classic BPF program for ``bwrap --seccomp``.

It refuses what a job has no business with and what has broken sandboxes before: mounting, namespaces, tracing, kernel keys, BPF, io_uring,
clocks, device nodes, address families other than local, Internet and netlink (a vsock reaches past a network namespace), pushing characters into
a terminal. So too memory that belongs to no process: files of ``memfd_create``, segments and queues of System V outlast what made them, and who adds
up what processes hold does not see them. Calls newer than the table answer ENOSYS, as an older kernel would. Numbers: the kernel's ``unistd_64.h``
and ``asm-generic/unistd.h``.
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from computility.domain.errors import ExecutorUnfit

_LOAD_WORD: Final = 0x20
_JUMP_EQUAL: Final = 0x15
_JUMP_GREATER_EQUAL: Final = 0x35
_JUMP_ANY_BIT: Final = 0x45
_AND: Final = 0x54
_RETURN: Final = 0x06

_ALLOW: Final = 0x7FFF0000
_KILL: Final = 0x80000000
_REFUSE: Final = 0x00050000

_NUMBER, _ARCHITECTURE, _ARGUMENT_0, _ARGUMENT_1, _ARGUMENT_2 = 0, 4, 16, 24, 32

_X32_BIT: Final = 0x40000000
_FIRST_UNKNOWN: Final = 463
_NEW_NAMESPACES: Final = 0x7E020080
"""CLONE_NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET."""
_FAMILIES: Final = (1, 2, 10, 16)
"""AF_UNIX, AF_INET, AF_INET6, AF_NETLINK."""
_TERMINAL_INJECTIONS: Final = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX."""
_KIND_OF_FILE, _CHARACTER, _BLOCK = 0o170000, 0o020000, 0o060000

# Beyond 424 all architectures share their numbers.
_SHARED: Final = {
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431,
    "fsmount": 432, "fspick": 433, "pidfd_getfd": 438, "mount_setattr": 442, "quotactl_fd": 443, "process_madvise": 440, "statmount": 457,
    "listmount": 458,
}  # fmt: skip
_SHARED_OF_NOBODY: Final = {"memfd_secret": 447}


@dataclass(frozen=True)
class _Architecture:
    audit: int
    refused: Mapping[str, int]
    of_nobody: Mapping[str, int]
    """Calls that make memory which belongs to no process. Containers keep them: a control group counts what they take."""
    clone: int
    clone3: int
    socket: int
    socketpair: int
    ioctl: int
    mknod: int | None
    mknodat: int
    personality: int


_ARCHITECTURES: Final = {
    "x86_64": _Architecture(
        audit=0xC000003E,
        refused={
            "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "unshare": 272, "setns": 308, "ptrace": 101, "process_vm_readv": 310,
            "process_vm_writev": 311, "kcmp": 312, "add_key": 248, "request_key": 249, "keyctl": 250, "bpf": 321, "perf_event_open": 298,
            "userfaultfd": 323, "kexec_load": 246, "kexec_file_load": 320, "init_module": 175, "finit_module": 313, "delete_module": 176,
            "reboot": 169, "swapon": 167, "swapoff": 168, "acct": 163, "settimeofday": 164, "clock_settime": 227, "clock_adjtime": 305,
            "adjtimex": 159, "sethostname": 170, "setdomainname": 171, "iopl": 172, "ioperm": 173, "quotactl": 179, "syslog": 103,
            "open_by_handle_at": 304, "name_to_handle_at": 303, "fanotify_init": 300, "vhangup": 153, "uselib": 134, "modify_ldt": 154,
            "lookup_dcookie": 212, "nfsservctl": 180, "vmsplice": 278, "move_pages": 279, "migrate_pages": 256, **_SHARED,
        },
        of_nobody={"memfd_create": 319, "shmget": 29, "msgget": 68, **_SHARED_OF_NOBODY},
        clone=56, clone3=435, socket=41, socketpair=53, ioctl=16, mknod=133, mknodat=259, personality=135,
    ),
    "aarch64": _Architecture(
        audit=0xC00000B7,
        refused={
            "mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51, "unshare": 97, "setns": 268, "ptrace": 117, "process_vm_readv": 270,
            "process_vm_writev": 271, "kcmp": 272, "add_key": 217, "request_key": 218, "keyctl": 219, "bpf": 280, "perf_event_open": 241,
            "userfaultfd": 282, "kexec_load": 104, "kexec_file_load": 294, "init_module": 105, "finit_module": 273, "delete_module": 106,
            "reboot": 142, "swapon": 224, "swapoff": 225, "acct": 89, "settimeofday": 170, "clock_settime": 112, "clock_adjtime": 266,
            "adjtimex": 171, "sethostname": 161, "setdomainname": 162, "quotactl": 60, "syslog": 116, "open_by_handle_at": 265,
            "name_to_handle_at": 264, "fanotify_init": 262, "vhangup": 58, "lookup_dcookie": 18, "nfsservctl": 42, "vmsplice": 75,
            "move_pages": 239, "migrate_pages": 238, **_SHARED,
        },
        of_nobody={"memfd_create": 279, "shmget": 194, "msgget": 186, **_SHARED_OF_NOBODY},
        clone=220, clone3=435, socket=198, socketpair=199, ioctl=29, mknod=None, mknodat=33, personality=92,
    ),
}  # fmt: skip


def seccomp_filter(machine: str = platform.machine()) -> bytes:
    """The program for an architecture as the kernel names it.

    Raises:
        ExecutorUnfit: no table of this architecture's calls is here.
    """
    architecture = _ARCHITECTURES.get(machine)
    if architecture is None:
        raise ExecutorUnfit(
            f"no table of system calls for {machine} is here: run jobs on {' or '.join(_ARCHITECTURES)}"
        )
    refuse, absent = _REFUSE | errno.EPERM, _REFUSE | errno.ENOSYS
    program = [
        (_LOAD_WORD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, architecture.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD_WORD, 0, 0, _NUMBER),
        (_JUMP_GREATER_EQUAL, 0, 1, _X32_BIT),
        (_RETURN, 0, 0, absent),
        (_JUMP_GREATER_EQUAL, 0, 1, _FIRST_UNKNOWN),
        (_RETURN, 0, 0, absent),
        # glibc falls back to clone, whose flags a filter can see.
        *_when(architecture.clone3, [(_RETURN, 0, 0, absent)]),
    ]
    for number in sorted([*architecture.refused.values(), *architecture.of_nobody.values()]):
        program += _when(number, [(_RETURN, 0, 0, refuse)])
    program += _when(
        architecture.clone,
        [(_LOAD_WORD, 0, 0, _ARGUMENT_0), (_JUMP_ANY_BIT, 0, 1, _NEW_NAMESPACES), (_RETURN, 0, 0, refuse), (_RETURN, 0, 0, _ALLOW)],
    )  # fmt: skip
    for number in (architecture.socket, architecture.socketpair):
        program += _when(
            number, _unless_one_of(_ARGUMENT_0, _FAMILIES, inside=_ALLOW, otherwise=_REFUSE | errno.EAFNOSUPPORT)
        )
    program += _when(
        architecture.ioctl, _unless_one_of(_ARGUMENT_1, _TERMINAL_INJECTIONS, inside=refuse, otherwise=_ALLOW)
    )
    program += _when(
        architecture.personality, _unless_one_of(_ARGUMENT_0, (0, 0xFFFFFFFF), inside=_ALLOW, otherwise=refuse)
    )
    for call, mode in ((architecture.mknod, _ARGUMENT_1), (architecture.mknodat, _ARGUMENT_2)):
        if call is not None:
            body = _unless_one_of(mode, (_CHARACTER, _BLOCK), inside=refuse, otherwise=_ALLOW, mask=_KIND_OF_FILE)
            program += _when(call, body)
    program.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def refused_calls(machine: str = platform.machine()) -> set[str]:
    """Names of the calls that are refused whatever holds the job; empty where no table is here."""
    architecture = _ARCHITECTURES.get(machine)
    return set(architecture.refused) if architecture else set()


_Instruction = tuple[int, int, int, int]


def _when(number: int, body: list[_Instruction]) -> list[_Instruction]:
    """``body``, which returns, for one call. The number is in the accumulator before it, and after it where it is another."""
    return [(_JUMP_EQUAL, 0, len(body), number), *body]


def _unless_one_of(
    argument: int, values: tuple[int, ...], *, inside: int, otherwise: int, mask: int = 0
) -> list[_Instruction]:
    """Returns ``inside`` where the low word of an argument is one of ``values``, else ``otherwise``."""
    body: list[_Instruction] = [(_LOAD_WORD, 0, 0, argument)]
    if mask:
        body.append((_AND, 0, 0, mask))
    for value in values:
        body += [(_JUMP_EQUAL, 0, 1, value), (_RETURN, 0, 0, inside)]
    return [*body, (_RETURN, 0, 0, otherwise)]
