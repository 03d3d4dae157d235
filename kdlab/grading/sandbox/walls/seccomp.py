"""seccomp: the kernel refuses the calls that start processes, talk, signal or pry.

A short list of what is refused, and not of what is allowed: numpy, torch and OpenMP use many
calls, other ones in each version. Threads are allowed, processes are not.

References:
    The Linux kernel's userspace-api/seccomp_filter; numbers of asm/unistd.h.
"""

import ctypes
import os
import platform
import struct

# name: (x86_64, aarch64); -1 where the machine has no such call.
_REFUSED = {
    # start another program or process
    "fork": (57, -1),
    "vfork": (58, -1),
    "execve": (59, 221),
    "execveat": (322, 281),
    # talk to the world; socketpair stays, it reaches nobody
    "socket": (41, 198),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    # leave something behind that outlives the process
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    # keep memory that no limit counts
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    # change files that Landlock only keeps from being read
    "chmod": (90, -1),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, -1),
    "fchown": (93, 55),
    "lchown": (94, -1),
    "fchownat": (260, 54),
    "utime": (132, -1),
    "utimes": (235, -1),
    "futimesat": (261, -1),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    # reach into other processes
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    # reach into the kernel
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "fsopen": (430, 430),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "open_by_handle_at": (304, 265),
    "quotactl": (179, 60),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "acct": (163, 89),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "syslog": (103, 116),
    "personality": (135, 92),
    "vhangup": (153, 58),
}
# Only on itself: the first argument is its own number, or 0, which means itself as well.
_ON_ITSELF = {
    "tgkill": (234, 131),
    "kill": (62, 129),
    "prlimit64": (302, 261),
    "sched_setaffinity": (203, 122),
    "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
    "setpgid": (109, 154),
}
# To these, 0 means others as well: the whole group.
_GROUP = {"kill", "tgkill"}
_CLONE, _CLONE3, _PRCTL = (56, 220), (435, 435), (157, 167)

_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_ALLOW, _KILL, _EPERM, _ENOSYS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
_LOAD, _EQUAL, _ATLEAST, _ANYBIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_THREAD = 0x00010000
_X32 = 0x40000000
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER, _DEATH_SIGNAL = 38, 22, 2, 1


def is_known() -> bool:
    """Tell if the filter can be made for this machine."""
    return platform.system() == "Linux" and platform.machine() in _MACHINES


def restrict() -> None:
    """Put up the filter, for good.

    Raises:
        OSError: The kernel refuses it; nothing of a student's may run then.
    """
    code = _program(os.getpid(), *_MACHINES[platform.machine()])
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    _prctl(_NO_NEW_PRIVILEGES, 1)
    _prctl(_SET_SECCOMP, _FILTER, ctypes.create_string_buffer(program))


def _prctl(option: int, *arguments: object) -> None:
    # Whole registers: the kernel also looks at the upper half of what isn't used.
    numbers = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in (*arguments, 0, 0, 0)]
    kernel = ctypes.CDLL(None, use_errno=True)
    if kernel.prctl(ctypes.c_int(option), *numbers[:4]) != 0:
        raise OSError(ctypes.get_errno(), f"seccomp: {os.strerror(ctypes.get_errno())}")


def _program(own: int, column: int, machine: int) -> bytes:
    """Write the filter; each line ends by its own verdict or falls to the next."""
    lines = [_step(_LOAD, 4), _step(_EQUAL, machine, 1, 0), _verdict(_KILL), _step(_LOAD, 0)]
    lines += _when(_ATLEAST, _X32, _EPERM)
    lines += _when(_EQUAL, _CLONE3[column], _ENOSYS)
    for numbers in _REFUSED.values():
        if numbers[column] >= 0:
            lines += _when(_EQUAL, numbers[column], _EPERM)
    for name, numbers in _ON_ITSELF.items():
        lines += _call(numbers[column], _only_on(own, zero=name not in _GROUP))
    thread = [_step(_ANYBIT, _THREAD, 1, 0), _verdict(_EPERM)]
    lines += _call(_CLONE[column], thread)
    lines += _call(_PRCTL[column], _when(_EQUAL, _DEATH_SIGNAL, _EPERM))
    return b"".join([*lines, _verdict(_ALLOW)])


def _call(number: int, checks: list[bytes]) -> list[bytes]:
    """Look at the first argument of one call; the checks end in a refusal, else it is allowed."""
    body = [_step(_LOAD, 16), *checks, _verdict(_ALLOW)]
    return [_step(_EQUAL, number, 0, len(body)), *body]


def _only_on(own: int, *, zero: bool) -> list[bytes]:
    zeros = [_step(_EQUAL, 0, 2, 0)] if zero else []
    return [*zeros, _step(_EQUAL, own, 1, 0), _verdict(_EPERM)]


def _when(test: int, value: int, verdict: int) -> list[bytes]:
    return [_step(test, value, 0, 1), _verdict(verdict)]


def _verdict(value: int) -> bytes:
    return _step(_RETURN, value)


def _step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("HBBI", code, yes, no, value)
