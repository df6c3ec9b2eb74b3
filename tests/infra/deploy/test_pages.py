"""Deploying a site: the build, the real wrangler's report, and what it sees of the environment."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.deploy import pages
from infra.deploy.errors import DeployError

REQUEST = {"account_id": "a" * 32, "project": "site", "branch": "staging", "folder": "app/web/landing"}
REPORT = {
    "type": "pages-deploy-detailed",
    "pages_project": "site",
    "deployment_id": "1",
    "url": "https://1234.site.pages.dev",
    "alias": "https://staging.site.pages.dev",
}


class Tools:
    """Stands in for npm and wrangler: writes what they write, and keeps the calls."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, report: dict[str, Any] | None) -> None:
        self.calls: list[tuple[list[str], dict[str, Any]]] = []
        self.report = report
        self.page = "<html>"
        monkeypatch.setattr(pages, "run", self.run)
        monkeypatch.setattr(pages, "_install", lambda folder: None)
        monkeypatch.setattr(pages, "_path", lambda: {"PATH": "tools"})

    def run(self, command: list[str], **options: Any) -> str:
        self.calls.append((command, options))
        if "build" in command and self.page:
            site = Path(command[command.index("--outDir") + 1])
            site.mkdir()
            (site / "index.html").write_text(self.page)
        if "deploy" in command and self.report:
            Path(options["env"]["WRANGLER_OUTPUT_FILE_PATH"]).write_text(json.dumps(self.report) + "\n")
        return ""


def test_a_folder_without_an_api_is_deployed_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    tools = Tools(monkeypatch, REPORT)
    assert pages.deploy(json.dumps(REQUEST)) == {
        "deployment_id": "1",
        "url": "https://1234.site.pages.dev",
        "alias": "https://staging.site.pages.dev",
    }
    [(command, options)] = tools.calls
    assert command[1:3] == ["pages", "deploy"]
    assert command[3].endswith("app/web/landing")
    assert command[command.index("--branch") :][:2] == ["--branch", "staging"]
    assert options["env"]["CLOUDFLARE_ACCOUNT_ID"] == "a" * 32
    assert "CLOUDFLARE_API_BASE_URL" not in options["env"]


def test_an_app_is_built_against_its_api_first(monkeypatch: pytest.MonkeyPatch) -> None:
    tools = Tools(monkeypatch, REPORT)
    inputs = {
        **REQUEST,
        "folder": "app/web",
        "api_url": "https://api.example.org",
        "cloudflare_url": "http://127.0.0.1:1",
    }
    pages.deploy(json.dumps(inputs))
    (build, built), (deploy, deployed) = tools.calls
    assert built["env"]["VITE_API_URL"] == "https://api.example.org"
    assert deploy[3] == build[build.index("--outDir") + 1]
    assert deployed["env"]["CLOUDFLARE_API_BASE_URL"] == "http://127.0.0.1:1"


def test_wrangler_sees_a_chosen_environment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    tools = Tools(monkeypatch, REPORT)
    pages.deploy(json.dumps(REQUEST))
    assert "GITHUB_ACTIONS" not in tools.calls[0][1]["inherit"]
    assert "CLOUDFLARE_API_TOKEN" in tools.calls[0][1]["inherit"]


def test_a_build_without_a_page_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    tools = Tools(monkeypatch, REPORT)
    tools.page = ""
    with pytest.raises(DeployError, match=r"wrote no index\.html"):
        pages.deploy(json.dumps({**REQUEST, "api_url": "https://api.example.org"}))


@pytest.mark.parametrize("report", [None, {"type": "command-failed"}, {"type": "wrangler-session"}])
def test_a_deployment_that_is_not_reported_is_an_error(
    monkeypatch: pytest.MonkeyPatch, report: dict[str, Any] | None
) -> None:
    Tools(monkeypatch, report)
    with pytest.raises(DeployError, match="without naming a deployment of site"):
        pages.deploy(json.dumps(REQUEST))
