"""Reads typed values from an environment and collects every mistake, so that one start shows all of them."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from pydantic import SecretStr

_Choice = TypeVar("_Choice", bound=str)
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_PLACEHOLDERS = frozenset(
    {"changeme", "change-me", "placeholder", "secret", "password", "test", "todo", "xxx", "example"}
)
_MIN_SECRET_LENGTH = 8


class SettingsError(Exception):
    """The environment is not usable; the text names each variable and what to set."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(mistakes)
        lines = "\n".join(f"  - {mistake}" for mistake in self.mistakes)
        super().__init__(f"the environment has {len(self.mistakes)} mistake(s); nothing was started:\n{lines}")


class Reader:
    """After a mistake a method still returns some value; `raise_mistakes` makes sure that nobody uses it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._mistakes: list[str] = []

    def mistake(self, name: str, what: str) -> None:
        self._mistakes.append(f"{name} {what}")

    def raise_mistakes(self) -> None:
        if self._mistakes:
            raise SettingsError(self._mistakes)

    def text(self, name: str, *, alias: str | None = None, default: str | None = None) -> str:
        """`default` None makes it required; empty counts as unset; name and alias may not differ."""
        value, other = self._get(name), self._get(alias) if alias else None
        if value and other and value != other:
            self.mistake(name, f"and {alias} differ; keep {name} only")
        found = value or other or default
        if found is None:
            self.mistake(name, "is missing")
        return found or ""

    def secret(self, name: str, *, required: bool = False) -> SecretStr | None:
        value = self._get(name)
        if value is None and required:
            self.mistake(name, "is missing")
        return SecretStr(value) if value else None

    def flag(self, name: str, *, default: bool) -> bool:
        value = self._get(name)
        if value is None:
            return default
        if value.lower() not in _TRUE | _FALSE:
            self.mistake(name, f"is {value!r}; write true or false")
        return value.lower() in _TRUE

    def integer(self, name: str, *, default: int, low: int, high: int) -> int:
        value = self._get(name)
        if value is None:
            return default
        if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
            self.mistake(name, f"is {value!r}; write a whole number from {low} to {high}")
            return default
        return int(value)

    def choice(self, name: str, choices: Sequence[_Choice], *, default: _Choice | None = None) -> _Choice:
        value = self._get(name)
        for choice in choices:
            if value == choice:
                return choice
        if value is not None:
            self.mistake(name, f"is {value!r}; write one of {', '.join(choices)}")
        elif default is None:
            self.mistake(name, f"is missing; write one of {', '.join(choices)}")
        return default or choices[0]

    def refuse_placeholder(self, name: str) -> None:
        value = self._get(name)
        if value is not None and (value.lower() in _PLACEHOLDERS or len(value) < _MIN_SECRET_LENGTH):
            self.mistake(name, "is a placeholder; set the real secret")

    def _get(self, name: str) -> str | None:
        return self._environment.get(name, "").strip() or None
