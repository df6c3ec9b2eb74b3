"""Runs `python …` command lines in forks of one process that has imported everything: a start costs milliseconds.

`forks.py SOCKET ROOT` serves; `client(path, socket)` writes a `python` that hands its command line, folder, environment
and streams over. What runs is the same code in a process of its own; only the imports are older than it is. A client
that dies takes its fork along, SIGTERM is passed on, and the exit status comes back.
"""

import contextlib
import functools
import gc
import importlib
import marshal
import os
import re
import runpy
import selectors
import signal
import socket
import struct
import sys
import threading
from pathlib import Path
from typing import Any, cast

IMPORTED = (
    *("httpx", "pulumi", "pulumi_command.local", "pulumi_cloudflare", "modal.__main__", "modal.cli.entry_point"),
    *("infra.stack", "infra.rehearsal.cli", "infra.rehearsal.program", "infra.rehearsal.providers.cloudflare.provider"),
    *("infra.deploy.fly", "infra.deploy.modal", "infra.deploy.pages", "infra.localcloud.fly.flyctl.main"),
    *(f"infra.localcloud.fly.flyctl.commands.{name}" for name in ("apps", "deploy", "scale", "secrets", "machines")),
)

CLIENT = """#!{python} -IS
import marshal, os, signal, socket, struct, sys
def gate(moment):
    if os.path.exists({gate!r}):
        asked = socket.socket(socket.AF_UNIX)
        asked.connect({gate!r})
        asked.sendall(marshal.dumps([moment, sys.argv[1:]]))
        if asked.recv(1) != b"g":
            sys.exit("refused by the test")
gate("before")
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
signal.signal(signal.SIGTERM, lambda number, frame: server.send(b"T"))
said = marshal.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)])
socket.send_fds(server, [struct.pack("I", len(said))], [0, 1, 2])
server.sendall(said)
pid = server.recv(4, socket.MSG_WAITALL)
status = server.recv(4, socket.MSG_WAITALL)
gate("after")
os._exit(struct.unpack("i", status)[0] if len(status) == 4 else 137)
"""


def client(path: Path, address: Path, gate: Path) -> None:
    """Writes the `python` that talks to the server; while `gate` is there, it asks there before and after."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(CLIENT.format(python=sys.executable, address=str(address), gate=str(gate)))
    path.chmod(0o755)


def serve(address: str, root: str) -> None:
    sys.path.insert(0, root)
    os.chdir(root)
    for name in IMPORTED:
        importlib.import_module(name)
    _derive_keys_once(Path(root))
    if threading.active_count() != 1:
        raise RuntimeError("an import started a thread: a fork would lack it")
    gc.freeze()
    waker, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(128)
    print("ready", flush=True)  # noqa: T201 -- the test waits for it
    forks: dict[int, socket.socket] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(waker, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is listener:
                    _begin(listener, forks)
                else:
                    os.read(waker, 4096)
                    _collect(forks)


def _derive_keys_once(root: Path) -> None:
    """A million rounds for the stack's key take longer than a whole run of the program."""
    from infra.rehearsal import crypto

    vars(crypto)["_derived"] = functools.cache(vars(crypto)["_derived"])
    salt = re.search(r"^encryptionsalt: (.+)$", (root / "Pulumi.local.yaml").read_text(), re.MULTILINE)
    passphrase = re.search(r"^PULUMI_CONFIG_PASSPHRASE=(.+)$", (root / "infra/local.env").read_text(), re.MULTILINE)
    if salt and passphrase:
        crypto.from_passphrase(passphrase[1], salt[1])


def _begin(listener: socket.socket, forks: dict[int, socket.socket]) -> None:
    caller, _ = listener.accept()
    head, streams, _, _ = socket.recv_fds(caller, 4, 3)
    if len(head) < 4:
        caller.close()
        return
    pid = os.fork()
    if pid == 0:
        listener.close()
        _run(caller, struct.unpack("I", head)[0], streams)
    for stream in streams:
        os.close(stream)
    forks[pid] = caller
    with contextlib.suppress(OSError):
        caller.send(struct.pack("i", pid))


def _collect(forks: dict[int, socket.socket]) -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            caller = forks.pop(pid)
            code = os.waitstatus_to_exitcode(status)
            with contextlib.suppress(OSError):
                caller.send(struct.pack("i", code if code >= 0 else 128 - code))
            caller.close()


def _run(caller: socket.socket, length: int, streams: list[int]) -> None:
    """In the fork: becomes the command."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        words, folder, environment = marshal.loads(caller.recv(length, socket.MSG_WAITALL))
        os.setsid()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        for number, mode in ((0, "r"), (1, "w"), (2, "w")):
            name = ("stdin", "stdout", "stderr")[number]
            setattr(sys, name, open(number, mode, buffering=1, closefd=False))  # noqa: SIM115 -- a descriptor
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        threading.Thread(target=_watch, args=(caller,), daemon=True).start()
        code = _command(words)
    except BaseException:
        sys.excepthook(*cast(Any, sys.exc_info()))
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _watch(caller: socket.socket) -> None:
    while said := caller.recv(1):
        if said == b"T":
            os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGKILL)


def _command(words: list[str]) -> int:
    """`-m MODULE …`, as the interpreter runs it."""
    if words[:1] != ["-m"]:
        raise RuntimeError(f"only `python -m MODULE` runs in a fork, not {words}")
    sys.executable = str(Path(".venv/bin/python").absolute()) if Path(".venv/bin/python").exists() else sys.executable
    sys.argv = [words[1], *words[2:]]
    try:
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return ended.code or 0
        print(ended.code, file=sys.stderr)  # noqa: T201 -- as the interpreter does
        return 1
    return 0


if __name__ == "__main__":
    serve(*sys.argv[1:])
