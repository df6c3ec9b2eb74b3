"""Applies the Pulumi program where there is no Pulumi CLI: on this machine's stand-ins, or on fakes in a test."""

from infra.rehearsal.api import Result, run, tear_down
from infra.rehearsal.providers.fake import Fake
from infra.rehearsal.resource import Resource
from infra.rehearsal.values import is_secret, is_unknown, plain, plain_values

__all__ = ["Fake", "Resource", "Result", "is_secret", "is_unknown", "plain", "plain_values", "run", "tear_down"]
