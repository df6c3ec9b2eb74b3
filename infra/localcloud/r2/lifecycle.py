"""Lifecycle rules in the shape of Cloudflare's API. Only the abort of old unfinished uploads is done, at start."""

from collections.abc import Sequence
from typing import Any

from infra.localcloud.r2.store.storage import Storage

# Every new bucket has it; a PUT of other rules replaces it (developers.cloudflare.com/r2/buckets/object-lifecycles).
DEFAULT_RULES: list[dict[str, Any]] = [
    {
        "id": "Default Multipart Abort Rule",
        "enabled": True,
        "conditions": {"prefix": ""},
        "abortMultipartUploadsTransition": {"condition": {"type": "Age", "maxAge": 7 * 24 * 3600}},
    }
]


def abort_age(rules: Sequence[dict[str, Any]], key: str) -> float | None:
    """The age in seconds at which an unfinished upload of this key ends; None: never."""
    ages = []
    for rule in rules:
        transition = rule.get("abortMultipartUploadsTransition")
        prefix = rule.get("conditions", {}).get("prefix") or ""
        if rule.get("enabled") and transition and key.startswith(prefix):
            ages.append(transition["condition"]["maxAge"])
    return min(ages, default=None)


def abort_expired_uploads(storage: Storage, now: float) -> int:
    """Returns how many were aborted."""
    aborted = 0
    for bucket in storage.buckets.all():
        rules = storage.buckets.lifecycle(bucket.name)
        for upload in storage.uploads.in_bucket(bucket.name):
            age = abort_age(rules, upload.key)
            if age is not None and now - upload.created_at >= age:
                storage.blobs.remove(storage.uploads.delete(upload))
                aborted += 1
    return aborted
