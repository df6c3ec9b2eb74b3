"""A pool is one function's waiting inputs and the containers that take them."""

from collections import deque
from dataclasses import dataclass, field

from modal_proto import api_pb2

from infra.localcloud.modal.calls import Input
from infra.localcloud.modal.containers import Container
from infra.localcloud.modal.signals import Signal


@dataclass
class Pool:
    """`signal` wakes containers that wait for an input; `failed_boots` counts containers in a row that never served."""

    waiting: deque[Input] = field(default_factory=deque)
    containers: dict[str, Container] = field(default_factory=dict)
    failed_boots: int = 0
    signal: Signal = field(default_factory=Signal)

    @property
    def usable(self) -> list[Container]:
        return [container for container in self.containers.values() if not container.is_draining]

    @property
    def occupied(self) -> int:
        """Places taken from `max_containers`: draining containers finish beside their successors."""
        return sum(not container.is_draining or container.is_stopped for container in self.containers.values())

    @property
    def room(self) -> int:
        """Inputs that the usable containers can take at once."""
        return sum(max(0, container.definition.capacity - len(container.running)) for container in self.usable)

    def withdraw(self, call_id: str) -> list[Input]:
        """Takes the call's inputs out of the waiting ones."""
        withdrawn = [waiting for waiting in self.waiting if waiting.call_id == call_id]
        for waiting in withdrawn:
            self.waiting.remove(waiting)
        return withdrawn

    def stats(self) -> api_pb2.FunctionStats:
        return api_pb2.FunctionStats(
            backlog=len(self.waiting),
            num_total_tasks=len(self.usable),
            num_running_inputs=sum(len(container.running) for container in self.containers.values()),
        )
