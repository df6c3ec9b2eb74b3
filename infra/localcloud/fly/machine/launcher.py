"""Process 1 of a machine: starts the command, passes signals on, and leaves no process behind.

Run as a file: `python -I -S launcher.py <lifeline> <command> ...`. The lifeline is the reading end of a pipe whose
other end only the stand-in holds: once it closes, also because the stand-in was killed, everything here is killed.
Linux: what the command leaves running is adopted by this process (PR_SET_CHILD_SUBREAPER) and killed with it.
"""

import ctypes
import os
import select
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
COMMAND_NOT_FOUND = 127
EXIT_ON_SIGNAL = 128


def main(lifeline: int, argv: list[str]) -> int:
    """The command's exit status, or 128 + the number of the signal that ended it."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    wakeup, write_end = os.pipe()
    os.set_blocking(write_end, False)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    own = os.getpid()
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != own:  # it died before the line above could count
            os._exit(EXIT_ON_SIGNAL + signal.SIGKILL)
        os.close(lifeline)
        start(argv)
    for number in PASSED_ON:
        signal.signal(number, lambda received, _: os.kill(child, received))
    status = watch(child, lifeline, wakeup)
    kill_all()
    return status


def start(argv: list[str]) -> None:
    """Becomes the command; Python's ignored SIGPIPE and its own LC_CTYPE (PEP 538) must not reach it."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execvpe(argv[0], argv, given_environment())  # noqa: S606 -- the command of the image, without a shell
    except OSError as error:
        os.write(2, f"init: cannot start {argv[0]!r}: {error.strerror}\n".encode())
    os._exit(COMMAND_NOT_FOUND)


def given_environment() -> dict[bytes, bytes]:
    variables = Path("/proc/self/environ").read_bytes().split(b"\0")
    return dict(variable.split(b"=", 1) for variable in variables if variable)


def watch(child: int, lifeline: int, wakeup: int) -> int:
    """Until the command ends or the lifeline closes."""
    while True:
        ready, _, _ = select.select([lifeline, wakeup], [], [])
        if lifeline in ready:
            return EXIT_ON_SIGNAL + signal.SIGKILL
        os.read(wakeup, 512)
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == child:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else EXIT_ON_SIGNAL - code
            if pid == 0:
                break


def kill_all() -> None:
    """Kills the children, then those that were theirs, until none is left."""
    while True:
        for pid in children():
            os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def children() -> list[int]:
    return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()]


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
