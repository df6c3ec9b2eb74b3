"""One container's processes: started through `launcher.py`, gone with their whole group when the process ends."""

import asyncio
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

_LAUNCHER = Path(__file__).with_name("launcher.py")


class Process:
    """`command` runs with exactly `environment`, in the folder `cwd`; its output is appended to `log`."""

    def __init__(
        self, python: Path, command: Sequence[str], environment: Mapping[str, str], cwd: Path, log: Path
    ) -> None:
        self._argv = [str(python), "-I", "-S", str(_LAUNCHER), *command]
        self._environment = dict(environment)
        self._cwd = cwd
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._is_killed = False

    async def run(self) -> str:
        """Runs it to its end and says how it ended; a cancelled run kills it."""
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=self._environment,
                cwd=self._cwd,
                start_new_session=True,
            )
        self._process = process
        if self._is_killed:
            self.kill()
        if process.stdout is None:
            raise RuntimeError("the launcher's stdout is not a pipe")
        try:
            status = await process.stdout.read()
        finally:
            self.kill()
            await process.wait()
        return _describe(status)

    def kill(self) -> None:
        """Closes the launcher's stdin; `run` returns once the group is gone."""
        self._is_killed = True
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()


def _describe(status: bytes) -> str:
    if not status:
        return "was killed"
    code = int(status)
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with status {code}"
