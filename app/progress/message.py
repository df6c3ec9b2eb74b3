"""What progress messages have in common, whatever they are about."""

from abc import ABC, abstractmethod
from typing import Literal, Self

from pydantic import BaseModel

MessageType = Literal["snapshot", "progress", "complete", "failed", "cancelled", "heartbeat"]
_FINAL: frozenset[MessageType] = frozenset({"complete", "failed", "cancelled"})


class Message(BaseModel, ABC, frozen=True):
    type: MessageType

    @property
    def is_final(self) -> bool:
        """Nothing comes after it on this socket."""
        return self.type in _FINAL

    @abstractmethod
    def follows(self, earlier: Self) -> bool:
        """Whether this is news after `earlier` and no step back."""

    def as_heartbeat(self) -> Self:
        return self.model_copy(update={"type": "heartbeat"})
