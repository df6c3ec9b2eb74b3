"""Writes beside a built site what differs between stacks: `config.json` for the page, origins into `_headers`."""

import json
from collections.abc import Sequence
from pathlib import Path

from infra.deploy.errors import DeployError

CONFIG = "config.json"
HEADERS = "_headers"
LONGEST_LINE = 2_000  # characters; Pages leaves a longer line of `_headers` out without an error


def configure(site: Path, api_url: str, storage_origins: Sequence[str]) -> None:
    """All addresses are origins. Raises DeployError when the built site has no room for them."""
    if (site / CONFIG).exists():
        raise DeployError(f"the built site has a {CONFIG} of its own; it is written when the site is deployed")
    socket_origin = f"ws{api_url.removeprefix('http')}"
    words = {"{{api}}": f"{api_url} {socket_origin}", "{{storage}}": " ".join(storage_origins)}
    (site / HEADERS).write_text(_filled((site / HEADERS).read_text(), words))
    (site / CONFIG).write_text(json.dumps({"apiUrl": api_url}) + "\n")


def _filled(headers: str, words: dict[str, str]) -> str:
    for word, value in words.items():
        if word not in headers:
            raise DeployError(f"{HEADERS} of the built site has no {word}; put it back into the page's policy")
        headers = headers.replace(word, value)
    if "{{" in headers:
        raise DeployError(
            f"{HEADERS} of the built site has a word in braces that nobody fills in; known: {list(words)}"
        )
    if any(len(line) > LONGEST_LINE for line in headers.splitlines()):
        raise DeployError(f"a line of {HEADERS} is longer than the {LONGEST_LINE} characters that Pages takes")
    return headers
