"""Modal steps against a scripted client: what is called, what is verified, what stays hidden."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.deploy import modal
from infra.deploy.errors import DeployError

TARGET = {"environment": "staging", "modal_url": None}


class Client:
    """Stands in for `python -m modal`: lists what it was told to have, and keeps the calls."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.environments = ["main"]
        self.secrets: list[str] = []
        self.apps: dict[str, str] = {}
        self.created: list[tuple[dict[str, str], int]] = []
        self.calls: list[tuple[list[str], dict[str, Any]]] = []
        monkeypatch.setattr(modal, "run", self.run)

    def run(self, command: list[str], **options: Any) -> str:
        words = command[3:]
        self.calls.append((words, options))
        match words[:2]:
            case ["secret", "create"]:
                self.created.append((json.loads(Path(words[4]).read_text()), Path(words[4]).stat().st_mode & 0o777))
            case ["environment", "list"]:
                return json.dumps([{"name": name} for name in self.environments])
            case ["secret", "list"]:
                return json.dumps([{"name": name} for name in self.secrets])
            case ["app", "list"]:
                return json.dumps([{"description": name, "state": state} for name, state in self.apps.items()])
        return ""

    def called(self, *words: str) -> list[list[str]]:
        return [each for each, _ in self.calls if each[: len(words)] == list(words)]


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    return Client(monkeypatch)


def secret_request() -> str:
    return json.dumps({**TARGET, "name": "reel-ballers-gpu", "values": {"MEDIA_HOSTS": "r2.example.org"}})


def test_a_secret_goes_by_a_private_file_into_an_environment_that_is_made_when_missing(client: Client) -> None:
    client.secrets = ["reel-ballers-gpu"]
    assert modal.secret(secret_request()) == {"secret": "reel-ballers-gpu", "keys": ["MEDIA_HOSTS"]}
    assert client.called("environment", "create") == [["environment", "create", "staging"]]
    [(words, options)] = [call for call in client.calls if call[0][:2] == ["secret", "create"]]
    assert client.created == [({"MEDIA_HOSTS": "r2.example.org"}, 0o600)]
    assert "r2.example.org" in options["secrets"]
    assert "r2.example.org" not in words


def test_an_environment_that_exists_is_left_alone(client: Client) -> None:
    client.environments, client.secrets = ["main", "staging"], ["reel-ballers-gpu"]
    modal.secret(secret_request())
    assert client.called("environment", "create") == []


def test_a_secret_that_is_not_listed_afterwards_is_an_error(client: Client) -> None:
    with pytest.raises(DeployError, match="does not list it in staging"):
        modal.secret(secret_request())


def test_a_deployment_carries_the_content_as_its_tag(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_HASH", "0123456789abcdef")
    client.apps = {"reel-ballers": "deployed"}
    assert modal.deploy(json.dumps({**TARGET, "app": "reel-ballers"}))["app"] == "reel-ballers"
    [words] = client.called("deploy")
    assert words[words.index("--tag") + 1] == "0123456789ab"
    assert words[words.index("--env") + 1] == "staging"


@pytest.mark.parametrize("apps", [{}, {"reel-ballers": "stopped"}, {"other": "deployed"}])
def test_a_deployment_that_is_not_listed_is_an_error(client: Client, apps: dict[str, str]) -> None:
    client.apps = apps
    with pytest.raises(DeployError, match="does not list it"):
        modal.deploy(json.dumps({**TARGET, "app": "reel-ballers"}))


def test_stopping_and_deleting_what_is_not_there_does_nothing(client: Client) -> None:
    modal.stop(json.dumps({**TARGET, "app": "reel-ballers"}))
    modal.delete_secret(secret_request())
    assert client.called("app", "stop") == client.called("secret", "delete") == []


def test_stopping_what_is_there(client: Client) -> None:
    client.apps = {"reel-ballers": "deployed"}
    modal.stop(json.dumps({**TARGET, "app": "reel-ballers"}))
    assert len(client.called("app", "stop")) == 1


def test_another_address_reaches_the_client(client: Client) -> None:
    client.apps = {"reel-ballers": "deployed"}
    modal.deploy(json.dumps({**TARGET, "modal_url": "http://127.0.0.1:1", "app": "reel-ballers"}))
    assert all(options["env"]["MODAL_SERVER_URL"] == "http://127.0.0.1:1" for _, options in client.calls)
