"""Deploying a site: the order of the steps, what the tools see of the environment, the real wrangler's report."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.deploy import pages
from infra.deploy.errors import DeployError
from infra.deploy.pages import packages, vite, wrangler
from infra.deploy.pages.digest import site_digest

LANDING = {"account_id": "a" * 32, "project": "site", "branch": "staging", "folder": "app/web/landing"}
APP = {
    **LANDING,
    "folder": "app/web",
    "api_url": "https://api.example.org",
    "storage_origins": ["https://account.r2.example.org"],
}
REPORT = {
    "type": "pages-deploy-detailed",
    "pages_project": "site",
    "deployment_id": "1",
    "url": "https://1234.site.pages.dev",
    "alias": "https://staging.site.pages.dev",
}


class Tools:
    """Stands in for npm and wrangler: writes what they write, and keeps the calls, what was deployed and checked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.builds: list[dict[str, Any]] = []
        self.deploys: list[tuple[list[str], dict[str, Any]]] = []
        self.deployed: dict[str, str] = {}
        self.checked: list[tuple[str, str | None]] = []
        self.report: dict[str, Any] | None = REPORT
        self.pages = {"index.html": "<html>", "_headers": "/*\n  X: {{api}} {{storage}}\n"}
        monkeypatch.setattr(vite, "run", self._build)
        monkeypatch.setattr(wrangler, "run", self._deploy)
        monkeypatch.setattr(packages, "install", lambda: None)
        monkeypatch.setattr(packages, "path", lambda: {"PATH": "tools"})
        monkeypatch.setattr(pages, "check", lambda site, url, address: self.checked.append((url, address)))
        self.built = tmp_path / "built"
        self._write(self.built)

    def _build(self, command: list[str], **options: Any) -> str:
        self.builds.append(options)
        self._write(Path(command[command.index("--outDir") + 1]))
        return ""

    def _write(self, folder: Path) -> None:
        folder.mkdir()
        for name, text in self.pages.items():
            (folder / name).write_text(text)

    def _deploy(self, command: list[str], **options: Any) -> str:
        self.deploys.append((command, options))
        self.deployed = {path.name: path.read_text() for path in Path(command[3]).iterdir()}
        if self.report:
            Path(options["env"]["WRANGLER_OUTPUT_FILE_PATH"]).write_text(json.dumps(self.report) + "\n")
        return ""


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Tools:
    return Tools(monkeypatch, tmp_path)


def test_a_folder_without_an_api_is_deployed_as_it_is(tools: Tools) -> None:
    landing = packages.WEB / "landing"
    assert pages.deploy(json.dumps(LANDING)) == {
        "deployment_id": "1",
        "url": "https://1234.site.pages.dev",
        "alias": "https://staging.site.pages.dev",
        "site_digest": site_digest(landing),
    }
    [(command, options)] = tools.deploys
    assert command[1:4] == ["pages", "deploy", str(landing)]
    assert command[command.index("--branch") :][:2] == ["--branch", "staging"]
    assert options["env"]["CLOUDFLARE_ACCOUNT_ID"] == "a" * 32
    assert "CLOUDFLARE_API_BASE_URL" not in options["env"]
    assert tools.builds == []


def test_an_app_is_built_and_then_told_its_api(tools: Tools) -> None:
    answer = pages.deploy(json.dumps(APP))
    assert answer["site_digest"] == site_digest(tools.built), "of the built files, before the configuration"
    assert json.loads(tools.deployed["config.json"]) == {"apiUrl": "https://api.example.org"}
    assert "https://api.example.org wss://api.example.org https://account.r2.example.org" in tools.deployed["_headers"]
    assert tools.checked == [("https://1234.site.pages.dev", "https://1234.site.pages.dev")]


def test_the_build_sees_nothing_of_the_stack_and_no_credentials(tools: Tools) -> None:
    pages.deploy(json.dumps(APP))
    [options] = tools.builds
    assert options["env"] == {"PATH": "tools", "NODE_ENV": "production", "CI": "1"}
    assert options["inherit"] == {"HOME", "LANG", "TMPDIR"}


def test_wrangler_sees_a_chosen_environment_only(tools: Tools) -> None:
    pages.deploy(json.dumps(LANDING))
    [(_, options)] = tools.deploys
    assert "GITHUB_ACTIONS" not in options["inherit"]
    assert "CLOUDFLARE_API_TOKEN" in options["inherit"]


@pytest.mark.parametrize(
    ("site_url", "asked"), [(None, None), ("http://127.0.0.1:5173", "http://127.0.0.1:5173")], ids=["unknown", "known"]
)
def test_another_cloudflare_is_used_and_asked_only_where_it_answers(
    tools: Tools, site_url: str | None, asked: str | None
) -> None:
    pages.deploy(json.dumps({**APP, "cloudflare_url": "http://127.0.0.1:1", "site_url": site_url}))
    [(_, options)] = tools.deploys
    assert options["env"]["CLOUDFLARE_API_BASE_URL"] == "http://127.0.0.1:1"
    assert tools.checked == [("https://1234.site.pages.dev", asked)]


def test_the_digest_that_is_asked_for_is_deployed(tools: Tools) -> None:
    wanted = site_digest(tools.built)
    assert pages.deploy(json.dumps({**APP, "site_digest": wanted}))["site_digest"] == wanted


def test_a_site_with_another_digest_is_refused_before_anything_is_deployed(tools: Tools) -> None:
    with pytest.raises(DeployError) as refused:
        pages.deploy(json.dumps({**APP, "site_digest": "0" * 64}))
    assert site_digest(tools.built) in str(refused.value)
    assert "0" * 64 in str(refused.value)
    assert tools.deploys == []


@pytest.mark.parametrize("request_", [APP, {**LANDING, "folder": "app/web/src"}], ids=["built", "as it is"])
def test_a_site_without_a_page_is_an_error(tools: Tools, request_: dict[str, Any]) -> None:
    tools.pages = {"other.html": ""}
    with pytest.raises(DeployError, match=r"gives no index\.html"):
        pages.deploy(json.dumps(request_))
    assert tools.deploys == []


@pytest.mark.parametrize("report", [None, {"type": "command-failed"}, {"type": "wrangler-session"}])
def test_a_deployment_that_is_not_reported_is_an_error(tools: Tools, report: dict[str, Any] | None) -> None:
    tools.report = report
    with pytest.raises(DeployError, match="without naming a deployment of site"):
        pages.deploy(json.dumps(LANDING))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"storage_origins": []}, "api_url and storage_origins go together"),
        ({"api_url": None}, "api_url and storage_origins go together"),
        ({"api_url": "https://api.example.org/v1"}, "api_url: String should match"),
        ({"api_url": "https://api.example.org; script-src *"}, "api_url: String should match"),
        ({"storage_origins": ["https://a.example.org\n  X: y"]}, r"storage_origins\.0: String should match"),
        ({"storage_origins": ["https://*.example.org"]}, r"storage_origins\.0: String should match"),
        ({"site_digest": "ABC"}, "site_digest: String should match"),
    ],
)
def test_wrong_inputs_are_refused(tools: Tools, change: dict[str, Any], reason: str) -> None:
    with pytest.raises(DeployError, match=reason):
        pages.deploy(json.dumps({**APP, **change}))
    assert (tools.builds, tools.deploys) == ([], [])


def test_a_preview_of_a_pull_request_needs_no_other_inputs(tools: Tools) -> None:
    pages.deploy(json.dumps({**APP, "branch": "pr-12"}))
    [(command, _)] = tools.deploys
    assert command[command.index("--branch") :][:2] == ["--branch", "pr-12"]
