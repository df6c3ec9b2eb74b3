"""A seccomp filter that kills a process as soon as it opens a file, makes a socket or starts a program."""

import ctypes
import platform
import struct

_ARCHITECTURES = {
    # audit number, then: open, creat, openat, openat2, open_by_handle_at, socket, connect, execve, execveat, io_uring
    "x86_64": (0xC000003E, (2, 85, 257, 437, 304, 41, 42, 59, 322, 425)),
    "aarch64": (0xC00000B7, (56, 437, 265, 198, 203, 221, 281, 425)),
}
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_KILL_PROCESS, _ALLOW = 0x80000000, 0x7FFF0000


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def has_seal() -> bool:
    """Whether this kind of machine is known; root is not needed."""
    return platform.system() == "Linux" and platform.machine() in _ARCHITECTURES


def seal() -> None:
    """For this thread and all that it starts, for good. Raises OSError."""
    audit, forbidden = _ARCHITECTURES[platform.machine()]
    code = [_step(_LOAD, 4), _step(_EQUAL, audit, 1, 0), _step(_RETURN, _KILL_PROCESS), _step(_LOAD, 0)]
    for left, number in zip(range(len(forbidden), 0, -1), forbidden, strict=True):
        code.append(_step(_EQUAL, number, left, 0))
    code += [_step(_RETURN, _ALLOW), _step(_RETURN, _KILL_PROCESS)]
    program = _Program(len(code), b"".join(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0):
        raise OSError(ctypes.get_errno(), "the kernel does not take a seccomp filter")


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """One `struct sock_filter`."""
    return struct.pack("=HBBI", code, if_true, if_false, value)
