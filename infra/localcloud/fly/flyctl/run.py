"""What a command gets: flags, arguments, streams, the API, and flyctl's words for the errors of its two APIs."""

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TextIO

from infra.localcloud.fly.flyctl.client import Client
from infra.localcloud.fly.flyctl.document import Document, find_document
from infra.localcloud.fly.flyctl.errors import ApiError, CommandError, UnreachableError
from infra.localcloud.fly.flyctl.flags import Values

TOO_MANY = 429
NO_APP_NAME = (
    "the config for your app is missing an app name, add an app field to the fly.toml file or specify with the -a flag"
)


@dataclass(frozen=True)
class Run:
    flags: Values
    arguments: list[str]
    env: Mapping[str, str]
    stdin: TextIO
    stdout: TextIO
    stderr: TextIO
    folder: Path = Path()

    def say(self, line: str = "") -> None:
        self.stdout.write(f"{line}\n")
        self.stdout.flush()

    def note(self, line: str = "") -> None:
        self.stderr.write(f"{line}\n")
        self.stderr.flush()

    def show(self, value: object) -> None:
        """JSON as flyctl prints it."""
        self.say(json.dumps(value, indent=4, ensure_ascii=False) + "\n")

    def table(self, header: list[str], rows: list[list[str]]) -> None:
        widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
        for row in [header, *rows]:
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
            self.say(f" {' │ '.join(cells).rstrip()}")
        self.say()

    @cached_property
    def api(self) -> Client:
        """Raises CommandError without a token, and for an address that is not on loopback."""
        token = self.flags.text("--access-token") or self.env.get("FLY_ACCESS_TOKEN") or self.env.get("FLY_API_TOKEN")
        if not token:
            raise CommandError("no access token available. Please login with 'flyctl auth login'")
        return Client(self.env.get("FLY_API_BASE_URL", ""), token)

    @cached_property
    def app(self) -> str:
        """From `-a`, FLY_APP or the fly.toml; needs a token first, as flyctl does."""
        _ = self.api
        named = self.flags.text("--app") or self.env.get("FLY_APP")
        if named:
            return named
        try:
            document = self.document()
        except FileNotFoundError:
            raise CommandError(NO_APP_NAME) from None
        if not isinstance(document.data.get("app"), str):
            raise CommandError(NO_APP_NAME)
        return str(document.data["app"])

    def document(self) -> Document:
        """The fly.toml of `--config`, else of the folder; FileNotFoundError when neither is there."""
        return find_document(self.folder, self.flags.text("--config"))

    @contextmanager
    def graphql(self, query: str) -> Iterator[None]:
        """Errors as flyctl words those of the GraphQL API; `query` is what it says it failed to run."""
        try:
            yield
        except ApiError as error:
            reason = _graphql_reason(error)
            raise CommandError(f"{query}: {reason}") from error
        except UnreachableError as error:
            raise CommandError(f'{query}: Post "{self.api.base_url}/graphql": {error}') from error

    @contextmanager
    def machines(self, prefix: str, call: str) -> Iterator[None]:
        """Errors as flyctl words those of the Machines API; `call` (method and path) is named when nothing answers."""
        try:
            yield
        except ApiError as error:
            reason = "app not found" if error.code == "app_not_found" else error.message
            raise CommandError(f"{prefix}{reason} (Request ID: {request_id()})") from error
        except UnreachableError as error:
            method, path = call.split(" ", 1)
            raise CommandError(f'{prefix}{method.title()} "{self.api.base_url}{path}": {error}') from error

    def call(self, method: str, path: str = "", body: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 -- JSON
        """A call about this app."""
        return self.api.call(method, f"/v1/apps/{self.app}{path}", body)


def _graphql_reason(error: ApiError) -> str:
    """GraphQL answers 200 to what it refuses; any other status is a failure of the service."""
    if error.code == "unauthorized":
        return "You must be authenticated to view this."
    if error.status >= 500 or error.status == TOO_MANY:
        return f"server returned a non-200 status code: {error.status}"
    return error.message


def image_name(machine: dict[str, Any]) -> str:
    """`repository:tag`, with nothing behind the colon for an image that was named by its digest."""
    reference = machine["image_ref"]
    return f"{reference['repository']}:{reference.get('tag', '')}"


def size_name(machine: dict[str, Any]) -> str:
    guest = machine["config"]["guest"]
    return f"{'shared-cpu' if guest['cpu_kind'] == 'shared' else 'performance'}-{guest['cpus']}x"


def request_id() -> str:
    return f"{secrets.token_hex(13)}-local"
