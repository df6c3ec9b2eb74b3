"""The client's side of calls: `.remote`, `.spawn`, `.map` and `.remote_gen` start them, `get` and `cancel` follow them.

Retries are ours alone: clients are told not to retry (`sync_client_retries_enabled`).
"""

import time
from collections.abc import AsyncIterator

from google.protobuf.empty_pb2 import Empty
from modal_proto import api_pb2

from infra.localcloud.modal.calls import Calls
from infra.localcloud.modal.rpc import Rpcs, not_found
from infra.localcloud.modal.scheduler import Scheduler

# The stream of a generator's values stays open until the client leaves; it looks again at least this often.
_CHUNK_POLL_S = 30.0
_MAX_INPUTS_OUTSTANDING = 1000


class Invocations:
    def __init__(self, calls: Calls, scheduler: Scheduler) -> None:
        self._calls = calls
        self._scheduler = scheduler

    def rpcs(self) -> Rpcs:
        return Rpcs(
            unary={
                "FunctionMap": self.start,
                "FunctionPutInputs": self.put_inputs,
                "FunctionFinishInputs": self.finish_inputs,
                "FunctionGetOutputs": self.get_outputs,
                "FunctionCallFromId": self.from_id,
                "FunctionCallCancel": self.cancel,
                "FunctionGetCurrentStats": self.stats,
                "FunctionCallPutDataOut": self.put_chunks,
            },
            streams={"FunctionCallGetDataOut": self.get_chunks},
        )

    async def start(self, request: api_pb2.FunctionMapRequest) -> api_pb2.FunctionMapResponse:
        definition = self._scheduler.definition(request.function_id)
        if definition is None:
            raise not_found(f"Function {request.function_id!r} is not deployed; its app was stopped or never published")
        call = self._calls.create(request.function_id, request.function_call_invocation_type)
        response = api_pb2.FunctionMapResponse(
            function_call_id=call.id,
            function_call_jwt=call.id,
            retry_policy=definition.function.retry_policy,
            sync_client_retries_enabled=False,
            max_inputs_outstanding=_MAX_INPUTS_OUTSTANDING,
        )
        if request.pipelined_inputs:
            put = await self.put_inputs(
                api_pb2.FunctionPutInputsRequest(function_call_id=call.id, inputs=request.pipelined_inputs)
            )
            response.pipelined_inputs.extend(put.inputs)
        return response

    async def put_inputs(self, request: api_pb2.FunctionPutInputsRequest) -> api_pb2.FunctionPutInputsResponse:
        inputs = self._calls.add(self._calls.call(request.function_call_id), request.inputs)
        for added in inputs:
            self._scheduler.submit(added)
        return api_pb2.FunctionPutInputsResponse(
            inputs=[
                api_pb2.FunctionPutInputsResponseItem(idx=added.idx, input_id=added.id, input_jwt=added.id)
                for added in inputs
            ]
        )

    async def finish_inputs(self, request: api_pb2.FunctionFinishInputsRequest) -> Empty:
        self._calls.call(request.function_call_id)
        return Empty()

    async def get_outputs(self, request: api_pb2.FunctionGetOutputsRequest) -> api_pb2.FunctionGetOutputsResponse:
        """By index range, or in the order of arrival after `last_entry_id`; waits up to `timeout` for the first."""
        call_id = self._calls.call(request.function_call_id).id
        signal = self._calls.signal(call_id)
        deadline = time.monotonic() + request.timeout
        entry = int(request.last_entry_id.partition("-")[0] or 0)
        while True:
            if request.HasField("start_idx"):
                outputs = self._calls.outputs_between(call_id, request.start_idx, request.end_idx)
            else:
                outputs, entry = self._calls.outputs_after(call_id, entry)
            left_s = deadline - time.monotonic()
            if outputs or left_s <= 0:
                break
            await signal.wait(left_s)
        _, unfinished = self._calls.counts(call_id)
        return api_pb2.FunctionGetOutputsResponse(
            outputs=outputs, last_entry_id=f"{entry}-0", num_unfinished_inputs=unfinished
        )

    async def from_id(self, request: api_pb2.FunctionCallFromIdRequest) -> api_pb2.FunctionCallFromIdResponse:
        call = self._calls.call(request.function_call_id)
        definition = self._scheduler.definition(call.function_id)
        metadata = api_pb2.FunctionCallHandleMetadata(
            function_id=call.function_id, app_id=definition.app_id if definition else ""
        )
        return api_pb2.FunctionCallFromIdResponse(
            function_call_id=call.id, num_inputs=self._calls.counts(call.id)[0], metadata=metadata
        )

    async def cancel(self, request: api_pb2.FunctionCallCancelRequest) -> Empty:
        call = self._calls.call(request.function_call_id)
        self._calls.cancel(call.id)
        self._scheduler.cancel(call, terminate_containers=request.terminate_containers)
        return Empty()

    async def stats(self, request: api_pb2.FunctionGetCurrentStatsRequest) -> api_pb2.FunctionStats:
        return self._scheduler.stats(request.function_id)

    async def put_chunks(self, request: api_pb2.FunctionCallPutDataRequest) -> Empty:
        self._calls.put_chunks(self._calls.call(request.function_call_id).id, request.data_chunks)
        return Empty()

    async def get_chunks(self, request: api_pb2.FunctionCallGetDataRequest) -> AsyncIterator[api_pb2.DataChunk]:
        call_id = self._calls.call(request.function_call_id).id
        signal = self._calls.signal(call_id)
        index = request.last_index
        while True:
            chunks = self._calls.chunks_after(call_id, index)
            for chunk in chunks:
                yield chunk
                index = chunk.index
            if not chunks:
                await signal.wait(_CHUNK_POLL_S)
