"""Runs a command that may write below one folder only: `python -I -S confine.py FOLDER COMMAND…`.

Kept by the kernel (Landlock, Linux 5.13 and newer; documented in `userspace-api/landlock`) for the command and all that
it starts. Reading, the network, other processes, and modes, owners and times of files are not restricted, nor is
`truncate` before Linux 6.2. Standard library only, and nothing of the
repository is imported, because it runs isolated.
"""

import ctypes
import os
import resource
import struct
import sys

LARGEST_FILE_BYTES = 8 << 30
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH, _NO_NEW_PRIVILEGES = 1, 1, 38
# WRITE_FILE, and REMOVE_DIR to MAKE_SYM; then what later versions of the interface added.
_WRITE_FILE = 1 << 1
_WRITES = _WRITE_FILE | sum(1 << bit for bit in range(4, 13))
_REFER, _TRUNCATE = 1 << 13, 1 << 14


def is_supported() -> bool:
    return _version() >= 1


def confine(folder: str) -> None:
    """For this thread and all that it starts, for good. Raises OSError."""
    version = _version()
    handled = _WRITES | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    rules = _call(_CREATE_RULESET, struct.pack("=Q", handled), 8, 0)
    _allow(rules, folder, handled)
    _allow(rules, os.devnull, handled & (_WRITE_FILE | _TRUNCATE))
    if _libc().prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "the kernel does not take away new privileges")
    _call(_RESTRICT_SELF, rules, 0)
    os.close(rules)


def _allow(rules: int, path: str, access: int) -> None:
    file = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        _call(_ADD_RULE, rules, _PATH_BENEATH, struct.pack("=Qi", access, file), 0)
    finally:
        os.close(file)


def _version() -> int:
    if sys.platform != "linux":
        return 0
    return int(_libc().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION_FLAG))


def _call(number: int, *arguments: object) -> int:
    result = int(_libc().syscall(number, *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"Landlock: {os.strerror(ctypes.get_errno())}")
    return result


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def main(folder: str, *command: str) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE_BYTES, LARGEST_FILE_BYTES))
    confine(folder)
    os.execvp(command[0], command)  # noqa: S606 -- the command is the caller's


if __name__ == "__main__":
    main(*sys.argv[1:])
