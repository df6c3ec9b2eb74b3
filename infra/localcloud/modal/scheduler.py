"""Brings inputs and containers together: starts containers for waiting inputs and hands the inputs out.

A failure or timeout counts against the function's retry policy; an input that lost its container to a stop or to
another input's timeout is handed out again at no cost; one left unfinished by an earlier stand-in runs at the start.
"""

import asyncio
import math
import time
from collections.abc import Iterable

from grpclib import GRPCError
from modal_proto import api_pb2

from infra.localcloud.modal.apps import Apps
from infra.localcloud.modal.calls import Call, Calls, Input
from infra.localcloud.modal.containers import Attempt, Container, Machine
from infra.localcloud.modal.deployments import Deployments
from infra.localcloud.modal.functions import Definition
from infra.localcloud.modal.outcomes import CANCELLED, FAILURE, INIT_FAILURE, TERMINATED, TIMEOUT, Outcomes, ended
from infra.localcloud.modal.pools import Pool

# A container asks again after this, so that no request stays open forever.
_POLL_S = 30.0
# How long a container may take to end an input that was cancelled, or itself after it was told to, before it is killed.
CANCEL_GRACE_S = 5.0
_EXIT_GRACE_S = 30.0
# A container that dies before it serves is started again; the inputs fail after this many in a row.
_MAX_FAILED_BOOTS = 3


class Scheduler:
    def __init__(self, apps: Apps, deployments: Deployments, calls: Calls, machine: Machine) -> None:
        self._apps = apps
        self._deployments = deployments
        self._calls = calls
        self._machine = machine
        self._outcomes = Outcomes(calls, again=self.submit)
        self._pools: dict[str, Pool] = {}
        self._live: dict[str, Definition] = {}
        self._runs: set[asyncio.Task[None]] = set()
        self._is_stopping = False

    async def start(self) -> None:
        """Takes up the deployed functions and the inputs that an earlier stand-in left unfinished."""
        self._machine.clean()
        for app in self._apps.all_deployed():
            self.refresh(app.id)
        for left in self._calls.unfinished():
            if self._calls.call(left.call_id).is_cancelled:
                self._outcomes.end(left, TERMINATED, CANCELLED)
            else:
                self.submit(left)

    async def stop(self) -> None:
        """Kills every container; what they were running stays unfinished."""
        self._is_stopping = True
        self._outcomes.stop()
        for container in self.containers():
            for attempt in container.running.values():
                attempt.timer.cancel()
            container.stop()
        await asyncio.gather(*self._runs)

    def definition(self, function_id: str) -> Definition | None:
        """The live definition; None when the function's app is not deployed."""
        return self._live.get(function_id)

    def containers(self, app_id: str = "") -> list[Container]:
        """The containers of an app, or all of them."""
        return [
            container
            for pool in self._pools.values()
            for container in pool.containers.values()
            if not app_id or container.definition.app_id == app_id
        ]

    def container(self, container_id: str) -> Container | None:
        return next((container for container in self.containers() if container.id == container_id), None)

    def count(self, app_id: str) -> int:
        return len(self.containers(app_id))

    def stats(self, function_id: str) -> api_pb2.FunctionStats:
        return self._pool(function_id).stats()

    def refresh(self, app_id: str) -> None:
        """Follows a deploy (containers of older definitions finish what they run) or a stop (everything ends now)."""
        live = self._deployments.live_definitions(app_id)
        gone = {id_ for id_, definition in self._live.items() if definition.app_id == app_id} - set(live)
        for function_id in gone:
            del self._live[function_id]
        self._live |= live
        for container in self.containers(app_id):
            if self._live.get(container.definition.function_id) is not container.definition:
                self.retire(container, graceful=bool(live))
        for function_id in gone | set(live):
            self._pool(function_id).signal.notify()
            self._scale(function_id)

    def submit(self, submitted: Input) -> None:
        pool = self._pool(submitted.function_id)
        pool.waiting.append(submitted)
        pool.signal.notify()
        self._scale(submitted.function_id)

    def retire(self, container: Container, *, graceful: bool) -> None:
        """Ends a container: after what it runs, or now, and then its inputs run again elsewhere."""
        function_id = container.definition.function_id
        container.is_draining = True
        if not graceful or not container.is_serving:
            container.stop()
        self._pool(function_id).signal.notify()
        self._scale(function_id)

    def cancel(self, call: Call, *, terminate_containers: bool) -> None:
        """Ends waiting inputs at once; tells containers to end running ones and kills those that do not."""
        self._outcomes.cancel(call.id)
        pool = self._pool(call.function_id)
        for waiting in pool.withdraw(call.id):
            self._outcomes.end(waiting, TERMINATED, CANCELLED)
        for container in pool.containers.values():
            running = [attempt for attempt in container.running.values() if attempt.input.call_id == call.id]
            for attempt in running:
                attempt.is_cancelled = True
                container.cancelled_inputs.append(attempt.input.id)
            if running and terminate_containers:
                container.stop()
            elif running:
                container.cancelled.notify()
                loop = asyncio.get_running_loop()
                loop.call_later(CANCEL_GRACE_S, self._kill_if_running, container, [run.input.id for run in running])

    async def next_input(self, container: Container) -> Input | None:
        """Waits for an input; None when there is none yet, or, with `is_draining` set, when the container shall end."""
        pool = self._pool(container.definition.function_id)
        if not container.is_serving:
            container.started_at, container.idle_since = time.time(), time.monotonic()
            pool.failed_boots = 0
        deadline = time.monotonic() + _POLL_S
        while not container.is_draining:
            if pool.waiting:
                return self._hand_out(pool, container)
            wake_at = deadline
            if not container.running and len(pool.usable) > container.definition.min_containers:
                wake_at = min(deadline, container.idle_since + container.definition.scaledown_s)
            left_s = wake_at - time.monotonic()
            if left_s > 0:
                await pool.signal.wait(left_s)
            elif wake_at < deadline:
                container.is_draining = True
            else:
                return None
        asyncio.get_running_loop().call_later(_EXIT_GRACE_S, self._end_lingering, container)
        return None

    def report(self, container: Container, output: api_pb2.FunctionPutOutputsItem) -> None:
        """An input's result from its container; ignored when the input is no longer the container's."""
        attempt = container.running.pop(output.input_id, None)
        if attempt is None:
            return
        attempt.timer.cancel()
        container.idle_since = time.monotonic()
        if output.result.status == TERMINATED and not output.result.exception:
            output.result.exception = CANCELLED
        item = api_pb2.FunctionGetOutputsItem(
            result=output.result,
            data_format=output.data_format,
            task_id=container.id,
            input_started_at=output.input_started_at,
            output_created_at=output.output_created_at,
        )
        self._outcomes.judge(attempt.input, item, container.definition.function.retry_policy)

    def _pool(self, function_id: str) -> Pool:
        return self._pools.setdefault(function_id, Pool())

    def _hand_out(self, pool: Pool, container: Container) -> Input:
        handed = pool.waiting.popleft()
        timer = asyncio.get_running_loop().call_later(
            container.definition.timeout_s, self._time_out, container, handed.id
        )
        container.running[handed.id] = Attempt(handed, timer)
        return handed

    def _time_out(self, container: Container, input_id: str) -> None:
        attempt = container.running.pop(input_id)
        container.stop()
        why = f"Task's current input {input_id} hit its timeout of {container.definition.timeout_s:g}s"
        self._outcomes.judge(attempt.input, ended(TIMEOUT, why), container.definition.function.retry_policy)

    def _end_lingering(self, container: Container) -> None:
        """Kills a container that was told to end and has not; what it still runs may take its time."""
        if container.running:
            asyncio.get_running_loop().call_later(_EXIT_GRACE_S, self._end_lingering, container)
        else:
            container.stop()

    def _kill_if_running(self, container: Container, input_ids: Iterable[str]) -> None:
        if any(input_id in container.running for input_id in input_ids):
            container.stop()

    def _scale(self, function_id: str) -> None:
        """Starts containers for the inputs that no container has room for, and up to `min_containers`."""
        pool, definition = self._pool(function_id), self._live.get(function_id)
        if self._is_stopping:
            return
        if definition is None:
            while pool.waiting:
                self._outcomes.end(pool.waiting.popleft(), TERMINATED, "its function is no longer deployed")
            return
        needed = math.ceil((len(pool.waiting) - pool.room) / definition.capacity)
        missing = definition.min_containers - len(pool.usable)
        for _ in range(min(max(needed, missing), definition.max_containers - pool.occupied)):
            container = Container(definition)
            pool.containers[container.id] = container
            run = asyncio.create_task(self._run(pool, container))
            self._runs.add(run)
            run.add_done_callback(self._runs.discard)

    async def _run(self, pool: Pool, container: Container) -> None:
        loop = asyncio.get_running_loop()
        timer = loop.call_later(container.definition.startup_timeout_s, self._give_up_boot, container)
        try:
            how = await self._machine.run(container)
        except (GRPCError, OSError) as error:
            how = f"could not be started: {error}"
            container.failure = api_pb2.GenericResult(status=INIT_FAILURE, exception=f"the container {how}")
        finally:
            timer.cancel()
            del pool.containers[container.id]
        if not self._is_stopping:
            self._settle(pool, container, how)
            self._scale(container.definition.function_id)

    def _give_up_boot(self, container: Container) -> None:
        if not container.is_serving:
            why = f"the container did not start within {container.definition.startup_timeout_s:g} s"
            container.failure = api_pb2.GenericResult(status=INIT_FAILURE, exception=why)
            container.stop()

    def _settle(self, pool: Pool, container: Container, how: str) -> None:
        """Decides about the inputs of a container that has ended."""
        story = f"container {container.id} of {container.definition.name} {how}; log: {self._machine.log(container)}"
        while container.running:
            _, attempt = container.running.popitem()
            attempt.timer.cancel()
            if attempt.is_cancelled:
                self._outcomes.end(attempt.input, TERMINATED, CANCELLED)
            elif container.is_stopped:
                pool.waiting.appendleft(attempt.input)
            else:
                policy = container.definition.function.retry_policy
                self._outcomes.judge(attempt.input, ended(FAILURE, story), policy)
        is_live = self._live.get(container.definition.function_id) is container.definition
        if not is_live or (container.failure is None and (container.is_serving or container.is_stopped)):
            return
        pool.failed_boots += 1
        if container.failure is not None or pool.failed_boots >= _MAX_FAILED_BOOTS:
            pool.failed_boots = 0
            result = container.failure or api_pb2.GenericResult(status=INIT_FAILURE, exception=story)
            while pool.waiting:
                output = api_pb2.FunctionGetOutputsItem(result=result, data_format=api_pb2.DATA_FORMAT_PICKLE)
                self._calls.finish(pool.waiting.popleft(), output)
