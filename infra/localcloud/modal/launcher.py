"""Runs one container's command in its own process group and takes the whole group down with it.

Run as a script in a new session. The stand-in holds the other end of stdin: when that closes, because it stopped the
container or died however abruptly, every process of the group is killed. stdout carries one line, the exit status.
Standard library only, and nothing of the repository is imported, because it runs isolated (`python -I -S`).
"""

import os
import signal
import subprocess
import sys
import threading

STDIN, STDOUT, STDERR = 0, 1, 2


def _die_with_owner() -> None:
    while os.read(STDIN, 1):
        pass
    os.killpg(0, signal.SIGKILL)


def main(command: list[str]) -> None:
    threading.Thread(target=_die_with_owner, daemon=True).start()
    status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=STDERR, check=False).returncode
    os.write(STDOUT, f"{status}\n".encode())
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
