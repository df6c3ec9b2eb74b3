"""R2 buckets over the account API; the buckets themselves live in the R2 stand-in, behind `BucketControl`.

A location counts only when a name is used for the first time. Only the default jurisdiction exists here.
"""

import re
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.localcloud.cloudflare.bucket_path import BUCKET, BUCKETS, bucket_name, default_jurisdiction_only
from infra.localcloud.cloudflare.envelope import CloudflareError, Json, json_body, ok, positive, timestamp
from infra.localcloud.cloudflare.store import Kind, Store
from infra.localcloud.r2.protocol import Bucket, BucketControl, BucketNotEmptyError

LOCATIONS = ("apac", "eeur", "enam", "oc", "weur", "wnam")
NEAREST = "wnam"
STORAGE_CLASSES = ("Standard", "InfrequentAccess")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


class Buckets:
    def __init__(self, store: Store, control: BucketControl) -> None:
        self._store = store
        self._control = control

    def routes(self) -> list[Route]:
        return [
            Route(BUCKETS, self.create, methods=["POST"]),
            Route(BUCKETS, self.list, methods=["GET"]),
            Route(BUCKET, self.get, methods=["GET"]),
            Route(BUCKET, self.patch, methods=["PATCH"]),
            Route(BUCKET, self.delete, methods=["DELETE"]),
        ]

    def _record(self, name: str) -> Json:
        return self._store.get(Kind.BUCKET, name) or {}

    def _public(self, bucket: Bucket) -> Json:
        return {
            "name": bucket.name,
            "creation_date": timestamp(bucket.created_at),
            "location": bucket.location or NEAREST,
            "storage_class": self._record(bucket.name).get("storage_class", bucket.storage_class),
            "jurisdiction": "default",
        }

    async def create(self, request: Request) -> Response:
        default_jurisdiction_only(request)
        body = await json_body(request)
        name = body.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise CloudflareError(400, 10005, "The specified bucket name is not valid.")
        if self._control.has_bucket(name):
            raise CloudflareError(409, 10004, "The bucket you tried to create already exists, and you own it.")
        hint = _choice("locationHint", str(body.get("locationHint") or NEAREST).lower(), LOCATIONS)
        storage_class = _choice("storageClass", body.get("storageClass") or "Standard", STORAGE_CLASSES)
        location = self._record(name).get("location", hint)
        bucket = self._control.create_bucket(name, location, storage_class)
        self._store.put(Kind.BUCKET, name, {"location": location, "storage_class": storage_class})
        return ok(self._public(bucket))

    async def list(self, request: Request) -> Response:
        """By name; filters by `name_contains` and `start_after`, pages by `per_page` and the `cursor` it returns."""
        query = request.query_params
        size = positive(request, "per_page", 20)
        descending = query.get("direction") == "desc"
        named = {bucket.name: bucket for bucket in self._control.buckets()}
        names = sorted((name for name in named if query.get("name_contains", "") in name), reverse=descending)
        after = query.get("cursor") or query.get("start_after")
        if after:
            names = [name for name in names if (name < after if descending else name > after)]
        chosen = names[:size]
        info: Json = {"per_page": size}
        if len(names) > size:
            info["cursor"] = chosen[-1]
        return ok({"buckets": [self._public(named[name]) for name in chosen]}, info)

    async def get(self, request: Request) -> Response:
        return ok(self._public(self._named(request)))

    async def patch(self, request: Request) -> Response:
        """Sets the storage class of objects to come, which arrives in the header `cf-r2-storage-class`."""
        bucket = self._named(request)
        wanted = _choice("cf-r2-storage-class", request.headers.get("cf-r2-storage-class"), STORAGE_CLASSES)
        self._store.put(Kind.BUCKET, bucket.name, self._record(bucket.name) | {"storage_class": wanted})
        return ok(self._public(bucket))

    async def delete(self, request: Request) -> Response:
        bucket = self._named(request)
        try:
            self._control.delete_bucket(bucket.name)
        except BucketNotEmptyError as error:
            raise CloudflareError(409, 10008, "The bucket you tried to delete is not empty.") from error
        return ok({})

    def _named(self, request: Request) -> Bucket:
        return self._control.bucket(bucket_name(self._control, request))


def _choice(what: str, value: object, choices: Sequence[str]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise CloudflareError(400, 10021, f"{what} is {value!r}; choose one of {', '.join(choices)}")
    return value
