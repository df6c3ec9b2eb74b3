"""The multipart form with which wrangler creates a deployment (`wrangler pages deploy`, 4.x)."""

import json
from dataclasses import dataclass

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from infra.localcloud.cloudflare.envelope import CloudflareError, unimplemented
from infra.localcloud.cloudflare.pages.upload_token import MOST_FILES

_FIELDS = {
    "manifest",
    "branch",
    "commit_hash",
    "commit_message",
    "commit_dirty",
    "_headers",
    "_redirects",
    "wrangler_config_hash",
    "pages_build_output_dir",
}
_MOST_FIELD_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class UploadForm:
    """`manifest` maps a path with a leading slash to an asset hash."""

    manifest: dict[str, str]
    branch: str | None
    commit_hash: str
    commit_message: str
    commit_dirty: bool
    headers: str
    redirects: str
    wrangler_config_hash: str | None


async def upload_form(request: Request) -> UploadForm:
    """Raises 8000096 without a manifest and 501 for Pages Functions and whatever else is not implemented."""
    form = await request.form(max_part_size=_MOST_FIELD_BYTES)
    unknown = sorted(set(form) - _FIELDS)
    if unknown:
        raise unimplemented(f"the deployment field {unknown[0]!r}; Pages Functions do not run here")
    return UploadForm(
        manifest=_manifest(await _text(form, "manifest")),
        branch=await _text(form, "branch") or None,
        commit_hash=await _text(form, "commit_hash"),
        commit_message=await _text(form, "commit_message"),
        commit_dirty=await _text(form, "commit_dirty") == "true",
        headers=await _text(form, "_headers"),
        redirects=await _text(form, "_redirects"),
        wrangler_config_hash=await _text(form, "wrangler_config_hash") or None,
    )


async def _text(form: FormData, field: str) -> str:
    value = form.get(field, "")
    if not isinstance(value, UploadFile):
        return str(value)
    try:
        return (await value.read()).decode()
    except UnicodeDecodeError as error:
        raise CloudflareError(400, 8000096, f"the field {field!r} is not UTF-8") from error


def _manifest(text: str) -> dict[str, str]:
    if not text:
        message = 'A "manifest" field was expected in the request body but was not provided.'
        raise CloudflareError(400, 8000096, message)
    try:
        manifest = json.loads(text)
    except ValueError as error:
        raise CloudflareError(400, 8000096, "the manifest is not JSON") from error
    if not isinstance(manifest, dict) or not all(isinstance(key, str) for key in manifest.values()):
        raise CloudflareError(400, 8000096, "the manifest is no object of paths and asset hashes")
    if len(manifest) > MOST_FILES:
        raise CloudflareError(400, 8000096, f"the manifest has {len(manifest)} files; Pages takes {MOST_FILES}")
    for path in manifest:
        if not path.startswith("/"):
            raise CloudflareError(400, 8000096, f"the manifest has the path {path!r}; a path starts with '/'")
    return manifest
