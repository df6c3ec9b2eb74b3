"""A message for the hub's own tests: a number that only grows."""

from typing import Self

from app.progress.message import Message


class Count(Message, frozen=True):
    number: int

    def follows(self, earlier: Self) -> bool:
        return self.number > earlier.number


def count(number: int) -> Count:
    return Count(type="progress", number=number)


def last(number: int) -> Count:
    return Count(type="complete", number=number)
