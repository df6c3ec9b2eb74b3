"""The container's side of the protocol, as `modal._runtime.container_io_manager` speaks it; listing, stopping."""

import time
from collections.abc import Iterable

from google.protobuf.empty_pb2 import Empty
from grpclib import GRPCError, Status
from modal_proto import api_pb2

from infra.localcloud.modal.apps import Apps
from infra.localcloud.modal.calls import Calls, Input
from infra.localcloud.modal.containers import Container
from infra.localcloud.modal.environments import Environments
from infra.localcloud.modal.rpc import Rpcs, not_found
from infra.localcloud.modal.scheduler import Scheduler

# A heartbeat is held until there is something to cancel; the client gives up after 15.1 s and sends one every 15 s
# (modal.client, HEARTBEAT_INTERVAL), so between two of them a cancellation waits for at most a second.
_HEARTBEAT_HOLD_S = 14.0


class Tasks:
    def __init__(self, scheduler: Scheduler, calls: Calls, apps: Apps, environments: Environments) -> None:
        self._scheduler = scheduler
        self._calls = calls
        self._apps = apps
        self._environments = environments

    def rpcs(self) -> Rpcs:
        return Rpcs(
            unary={"TaskList": self.list_all, "TaskGetInfo": self.get_info, "ContainerStop": self.stop},
            container={
                "ContainerHello": self.hello,
                "ContainerHeartbeat": self.heartbeat,
                "FunctionGetInputs": self.get_inputs,
                "FunctionPutOutputs": self.put_outputs,
                "FunctionGetDynamicConcurrency": self.concurrency,
                "TaskResult": self.result,
            },
        )

    async def list_all(self, request: api_pb2.TaskListRequest) -> api_pb2.TaskListResponse:
        environment = self._environments.resolve(request.environment_name)
        return api_pb2.TaskListResponse(tasks=self._stats(environment, request.app_id))

    def _stats(self, environment: str, app_id: str) -> Iterable[api_pb2.TaskStats]:
        for container in self._scheduler.containers(app_id):
            app = self._apps.app(container.definition.app_id)
            if app_id or app.environment == environment:
                yield api_pb2.TaskStats(
                    task_id=container.id,
                    app_id=app.id,
                    app_description=app.name,
                    enqueued_at=container.enqueued_at,
                    started_at=container.started_at,
                )

    async def get_info(self, request: api_pb2.TaskGetInfoRequest) -> api_pb2.TaskGetInfoResponse:
        container = self._running(request.task_id)
        info = api_pb2.TaskInfo(id=container.id, enqueued_at=container.enqueued_at, started_at=container.started_at)
        return api_pb2.TaskGetInfoResponse(app_id=container.definition.app_id, info=info)

    async def stop(self, request: api_pb2.ContainerStopRequest) -> api_pb2.ContainerStopResponse:
        self._scheduler.retire(self._running(request.task_id), graceful=request.graceful)
        return api_pb2.ContainerStopResponse()

    async def hello(self, request: Empty, container_id: str) -> Empty:
        self._container(container_id)
        return Empty()

    async def heartbeat(
        self, request: api_pb2.ContainerHeartbeatRequest, container_id: str
    ) -> api_pb2.ContainerHeartbeatResponse:
        container = self._container(container_id)
        if not container.cancelled_inputs:
            await container.cancelled.wait(_HEARTBEAT_HOLD_S)
        input_ids, container.cancelled_inputs = container.cancelled_inputs, []
        response = api_pb2.ContainerHeartbeatResponse()
        if input_ids:
            response.cancel_input_event.input_ids.extend(input_ids)
        return response

    async def get_inputs(
        self, request: api_pb2.FunctionGetInputsRequest, container_id: str
    ) -> api_pb2.FunctionGetInputsResponse:
        container = self._container(container_id)
        handed = await self._scheduler.next_input(container)
        if handed is not None:
            return api_pb2.FunctionGetInputsResponse(inputs=[self._item(handed)])
        end = [api_pb2.FunctionGetInputsItem(kill_switch=True)] if container.is_draining else []
        return api_pb2.FunctionGetInputsResponse(inputs=end)

    def _item(self, handed: Input) -> api_pb2.FunctionGetInputsItem:
        return api_pb2.FunctionGetInputsItem(
            input_id=handed.id,
            input=self._calls.arguments(handed.id),
            function_call_id=handed.call_id,
            function_call_invocation_type=api_pb2.FunctionCallInvocationType.ValueType(handed.invocation),
            function_map_idx=handed.idx,
            retry_count=handed.retry_count,
        )

    async def put_outputs(self, request: api_pb2.FunctionPutOutputsRequest, container_id: str) -> Empty:
        container = self._container(container_id)
        for output in request.outputs:
            self._scheduler.report(container, output)
        return Empty()

    async def concurrency(
        self, request: api_pb2.FunctionGetDynamicConcurrencyRequest, container_id: str
    ) -> api_pb2.FunctionGetDynamicConcurrencyResponse:
        return api_pb2.FunctionGetDynamicConcurrencyResponse(concurrency=request.max_concurrency)

    async def result(self, request: api_pb2.TaskResultRequest, container_id: str) -> Empty:
        """Sent when the function could not be imported; the waiting inputs get this exception."""
        self._container(container_id).failure = request.result
        return Empty()

    def _running(self, container_id: str) -> Container:
        """For clients; containers ask for themselves with `_container`."""
        container = self._scheduler.container(container_id)
        if container is None:
            raise not_found(f"Container {container_id!r} not found; it has ended or never was")
        return container

    def _container(self, container_id: str) -> Container:
        container = self._scheduler.container(container_id)
        if container is None:
            raise GRPCError(Status.UNAUTHENTICATED, f"container {container_id} has ended at {time.time():.0f}")
        return container
