"""`command:local:Command`: a shell command for each of create, update and delete, and the function `local.run`.

As pulumi-command 1.2.1 does it: `update` falls back to `create`, commands see the output before in
PULUMI_COMMAND_STDOUT and _STDERR, changed triggers replace.
"""

import secrets
from collections.abc import Mapping
from pathlib import Path

from infra.rehearsal.diff import Changes, compare
from infra.rehearsal.providers.assets import outputs_of
from infra.rehearsal.providers.base import Call, Found, Made, ProviderError
from infra.rehearsal.providers.mislaid import mislaid
from infra.rehearsal.providers.process import Processes
from infra.rehearsal.resource import Resource
from infra.rehearsal.values import UNKNOWN, Value, Values, plain, plain_values

TYPE, RUN = "command:local:Command", "command:local:run"
SHELL = ("/bin/sh", "-c")
COMPUTED = ("stdout", "stderr")
LOGS_STDOUT, LOGS_STDERR = ("stdout", "stdoutAndStderr"), ("stderr", "stdoutAndStderr")
"""Values of `logging`. Left out, stderr is shown: it is where commands here say what they do."""


class Command:
    """Runs in `folder`, where the engine runs the program, with `environment` below what the inputs give."""

    def __init__(self, folder: Path, environment: Mapping[str, str], processes: Processes) -> None:
        self._folder, self._environment, self._processes = folder, environment, processes

    def check(self, inputs: Values) -> Values:
        return mislaid(inputs)

    def diff(self, old: Resource, inputs: Values) -> Changes:
        return Changes(compare(old.inputs, inputs)).replacing(["triggers"])

    def plan(self, call: Call) -> Made:
        outputs: Values = {**call.inputs, **dict.fromkeys(COMPUTED, UNKNOWN)}
        if call.old and call.old.id and call.old.id == call.resource.id:
            return Made(call.old.id, outputs)
        return Made(_new_id(call.resource.name), outputs, made_up=True)

    def create(self, call: Call) -> Made:
        return Made(_new_id(call.resource.name), self._outputs(call, call.inputs.get("create"), {}))

    def update(self, call: Call) -> Values:
        before = call.old.outputs if call.old else {}
        return self._outputs(call, call.inputs.get("update", call.inputs.get("create")), before)

    def delete(self, call: Call) -> None:
        if (script := call.inputs.get("delete")) is not None:
            self._run(call, script, call.resource.outputs)

    def exists(self, call: Call) -> bool:
        """What a command made can only be known by running it."""
        return True

    def read(self, call: Call) -> Found | None:
        """The real provider has no Read either: the engine keeps what the state says."""
        return Found(call.resource.inputs, call.resource.outputs)

    def invoke(self, token: str, arguments: Values, config: Values) -> Values:
        if token != RUN:
            raise ProviderError(f"{token} is not supported in a rehearsal; of this package only {RUN} is")
        call = Call(Resource(token, token, "local.run", custom=False), arguments)
        stdout, stderr = self._run(call, arguments.get("command"), {})
        return {**arguments, "stdout": stdout, "stderr": stderr, **self._left_behind(call)}

    def _outputs(self, call: Call, script: Value, before: Values) -> Values:
        if script is None:
            kept = {key: before.get(key, "") for key in COMPUTED}
            return {**call.inputs, **kept}
        stdout, stderr = self._run(call, script, before)
        return {**call.inputs, "stdout": stdout, "stderr": stderr, **self._left_behind(call)}

    def _left_behind(self, call: Call) -> Values:
        inputs = plain_values(call.inputs)
        shown = _text(inputs.get("dir") or str(self._folder))
        try:
            return outputs_of(self._folder / shown, shown, inputs)
        except (OSError, ValueError) as error:
            raise ProviderError(f"cannot collect what the command left behind: {error}") from error

    def _run(self, call: Call, script: Value, before: Values) -> tuple[str, str]:
        inputs = plain_values(call.inputs)
        interpreter = inputs.get("interpreter")
        given = inputs.get("environment")
        environment = dict(self._environment)
        if isinstance(given, dict):
            environment |= {key: _text(value) for key, value in given.items()}
        if inputs.get("addPreviousOutputInEnv") is not False:
            previous = {key: _text(plain_values(before).get(key, "")) for key in COMPUTED}
            environment |= {f"PULUMI_COMMAND_{key.upper()}": text for key, text in previous.items() if text}
        words = [_text(word) for word in interpreter] if isinstance(interpreter, list) else [*SHELL]
        return self._processes.run(
            [*words, _text(plain(script))],
            folder=self._folder / _text(inputs.get("dir", ".")),
            environment=environment,
            stdin=_text(inputs.get("stdin", "")),
            timeout=call.timeout,
            say_stdout=call.say if inputs.get("logging") in LOGS_STDOUT else None,
            say_stderr=call.say if inputs.get("logging", "stderr") in LOGS_STDERR else None,
            started=call.started,
        )


def _new_id(name: str) -> str:
    return f"{name}{secrets.token_hex(4)}"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
