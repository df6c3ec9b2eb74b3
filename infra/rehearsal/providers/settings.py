"""Providers as resources: an explicit provider is nothing but its settings, kept in the state."""

import uuid

from infra.rehearsal.diff import Changes, compare
from infra.rehearsal.providers.base import Call, Found, Made, ProviderError
from infra.rehearsal.resource import Resource
from infra.rehearsal.values import Values


class SettingsProvider:
    def check(self, inputs: Values) -> Values:
        return inputs

    def diff(self, old: Resource, inputs: Values) -> Changes:
        return Changes(compare(old.inputs, inputs))

    def plan(self, call: Call) -> Made:
        return Made(call.resource.id, call.inputs)

    def create(self, call: Call) -> Made:
        return Made(str(uuid.uuid4()), call.inputs)

    def update(self, call: Call) -> Values:
        return call.inputs

    def delete(self, call: Call) -> None:
        """Nothing is outside of the state."""

    def exists(self, call: Call) -> bool:
        return True

    def read(self, call: Call) -> Found | None:
        return Found(call.resource.inputs, call.resource.outputs)

    def invoke(self, token: str, arguments: Values, config: Values) -> Values:
        raise ProviderError(f"{token} is no function of a provider resource")
