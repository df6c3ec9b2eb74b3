"""`wrangler pages deploy FOLDER …` with the calls that wrangler 4.156.0 makes, in their order, and its report.

Replaces the real one where every call is enumerated: that one takes two seconds a run. `test_wrangler_calls.py` holds
it against the real one's calls. It hashes with SHA-256 where wrangler has BLAKE3, and repeats less than wrangler: only
an upload, three times.
"""

import base64
import hashlib
import json
import mimetypes
import os
import sys
import time
from pathlib import Path
from typing import Any

import httpx

UPLOAD_ATTEMPTS = 3
APART = ("_headers", "_redirects")


class Wrangler:
    def __init__(self, project: str) -> None:
        account = os.environ["CLOUDFLARE_ACCOUNT_ID"]
        self._api = httpx.Client(base_url=os.environ["CLOUDFLARE_API_BASE_URL"], timeout=60, trust_env=False)
        self._project = f"accounts/{account}/pages/projects/{project}"

    def deploy(self, folder: Path, branch: str) -> dict[str, Any]:
        files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        apart = {name: files.pop(name) for name in APART if name in files}
        keys = {name: hashlib.sha256(content).hexdigest()[:32] for name, content in files.items()}
        for _ in range(2):
            self._call("GET", self._project)
        jwt = [self._call("GET", f"{self._project}/upload-token")["jwt"] for _ in range(2)][-1]
        missing = self._again("check-missing", jwt, {"hashes": list(keys.values())})
        batch = [self._asset(name, keys[name], content) for name, content in files.items() if keys[name] in missing]
        if batch:
            self._again("upload", jwt, batch)
        self._again("upsert-hashes", jwt, {"hashes": list(keys.values())})
        parts: dict[str, Any] = {name: (name, content) for name, content in apart.items()}
        parts["manifest"] = (None, json.dumps({f"/{name}": key for name, key in keys.items()}))
        parts["branch"] = (None, branch)
        deployment: dict[str, Any] = self._call("POST", f"{self._project}/deployments", files=parts)
        self._call("GET", f"{self._project}/deployments/{deployment['id']}")
        return deployment

    def _again(self, path: str, jwt: str, body: object) -> Any:
        for attempt in range(1, UPLOAD_ATTEMPTS + 1):
            try:
                return self._call("POST", f"pages/assets/{path}", token=jwt, json=body)
            except (httpx.HTTPError, RefusedError):
                if attempt == UPLOAD_ATTEMPTS:
                    raise
                time.sleep(0.01)
        raise AssertionError("unreachable")

    def _call(self, method: str, path: str, *, token: str = "", **body: Any) -> Any:
        headers = {"authorization": f"Bearer {token or os.environ['CLOUDFLARE_API_TOKEN']}"}
        answer = self._api.request(method, path, headers=headers, **body)
        document = answer.json()
        if not document["success"]:
            raise RefusedError(f"{method} {path}: {answer.status_code}: {document['errors']}")
        return document["result"]

    def _asset(self, name: str, key: str, content: bytes) -> dict[str, Any]:
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return {
            "key": key,
            "value": base64.b64encode(content).decode(),
            "metadata": {"contentType": kind},
            "base64": True,
        }


class RefusedError(RuntimeError):
    """An answer that is no success."""


def main(words: list[str]) -> int:
    options = dict(zip(words[3::2], words[4::2], strict=False))
    wrangler = Wrangler(options["--project-name"])
    try:
        deployment = wrangler.deploy(Path(words[2]), options["--branch"])
    except (httpx.HTTPError, RefusedError) as error:
        print(f"✘ [ERROR] {type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    event = {"type": "pages-deploy-detailed", "deployment_id": deployment["id"], "url": deployment["url"]}
    aliases = deployment.get("aliases") or []
    with Path(os.environ["WRANGLER_OUTPUT_FILE_PATH"]).open("a") as report:
        report.write(json.dumps(event | ({"alias": aliases[0]} if aliases else {})) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
