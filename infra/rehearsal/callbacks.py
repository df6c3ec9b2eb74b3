"""Calls back into the program: the SDK serves its transforms and hooks on loopback and hands out tokens for them."""

import threading

import grpc
from pulumi.runtime.proto import callback_pb2, callback_pb2_grpc

LIMIT_BYTES = 400 * 1024 * 1024
"""As the SDK's own channels."""


class CallbackError(RuntimeError):
    """The program's function raised, or could not be reached; the message is what it said."""


class Callbacks:
    """One channel for each server of callbacks. May be called from several threads, not from the program's own loop."""

    def __init__(self) -> None:
        self._channels: dict[str, grpc.Channel] = {}
        self._lock = threading.Lock()

    def call(self, callback: callback_pb2.Callback, request: bytes) -> bytes:
        """The serialized answer. Raises CallbackError."""
        message = callback_pb2.CallbackInvokeRequest(token=callback.token, request=request)
        try:
            answer: callback_pb2.CallbackInvokeResponse = self._stub(callback.target).Invoke(message)
        except grpc.RpcError as error:
            raise CallbackError(_said(error)) from error
        return answer.response

    def close(self) -> None:
        """Before the program ends its server, which would be told on standard error otherwise."""
        with self._lock:
            for channel in self._channels.values():
                channel.close()
            self._channels.clear()

    def _stub(self, target: str) -> callback_pb2_grpc.CallbacksStub:
        limits = [("grpc.max_receive_message_length", LIMIT_BYTES), ("grpc.max_send_message_length", LIMIT_BYTES)]
        with self._lock:
            if target not in self._channels:
                self._channels[target] = grpc.insecure_channel(target, options=limits)
            return callback_pb2_grpc.CallbacksStub(self._channels[target])


def _said(error: grpc.RpcError) -> str:
    details = getattr(error, "details", None)
    return str(details()) if callable(details) else str(error)
