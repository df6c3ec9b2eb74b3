"""Staging and production as they are committed, in one account: the slow part, made once for all tests here."""

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

import httpx
import psutil
import pytest

from tests.environments.cloud import Account, account

STACKS = {"staging": "reel-ballers-api-staging", "production": "reel-ballers-api", "qa": "reel-ballers-api-qa"}


class Backend(NamedTuple):
    """The deployed backend of a stack; `token` makes the caller its test user."""

    url: str
    token: str

    def client(self, token: str | None = None) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {token or self.token}"}, timeout=60)


class Promoted(NamedTuple):
    account: Account
    image: str

    def backend(self, stack: str) -> Backend:
        environment = machine_environment(self.account.config(stack)["reel:environment"])
        return Backend(f"http://127.0.0.1:{self.account.fronts[stack]}", environment["VERIFY_TOKEN"])


def machine_environment(environment: str) -> dict[str, str]:
    """What a machine of this environment runs with."""
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):  # one that ends while it is looked at
            found = process.environ() if process.cmdline()[-2:] == ["-m", "app"] else {}
            if found.get("APP_ENV") == environment:
                return found
    raise AssertionError(f"no machine of {environment} runs")


@pytest.fixture(scope="session")
def promoted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Promoted]:
    """Staging is up, and production with what staging runs."""
    with account(tmp_path_factory.mktemp("account"), STACKS) as made:
        made.configure("staging", minMachinesRunning=1)
        outputs = made.run("up", "staging")["outputs"]
        made.configure("production", image=outputs["image"], siteDigest=outputs["site_digest"] or None)
        made.run("up", "production")
        yield Promoted(made, outputs["image"])
