"""The bucket that holds every user's library and media, and the S3 key of this stack for it."""

import hashlib
import json
from dataclasses import dataclass

import pulumi

from infra.components import cloudflare

DAY_SECONDS = 86_400

# Cloudflare's id of "Workers R2 Storage Bucket Item Write" (R2 documentation, "Create API tokens via API").
BUCKET_ITEM_WRITE = "2efd5506f9c8494dacb1fa10a3e7d5b6"


@dataclass(frozen=True)
class StorageArgs:
    """`managed`: this stack owns the bucket, its CORS and its lifecycle; otherwise the bucket has to exist.

    `keys`: labels of this stack's S3 keys. All of them exist and the last is the output, so that a rotation never
    takes away a key that presigned URLs in users' hands were made with.
    """

    stack: str
    account_id: str
    bucket: str
    managed: bool
    location: str
    origins: list[str]
    keys: tuple[str, ...]


class Storage(pulumi.ComponentResource):
    """Outputs: `bucket` (name), `access_key_id`, `secret_access_key` (secret)."""

    bucket: pulumi.Output[str]
    access_key_id: pulumi.Output[str]
    secret_access_key: pulumi.Output[str]

    def __init__(self, name: str, args: StorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("reel:storage:Storage", name, None, opts)
        self.bucket = self._own_bucket(name, args) if args.managed else self._foreign_bucket(args)
        token = [self._token(name, args, label) for label in args.keys][-1]
        self.access_key_id = token.id
        # R2's S3 keys of an API token: its id, and the SHA-256 of its value (R2 documentation).
        self.secret_access_key = pulumi.Output.secret(
            token.value.apply(lambda value: hashlib.sha256(value.encode()).hexdigest())
        )
        self.register_outputs({"bucket": self.bucket})

    def _own_bucket(self, name: str, args: StorageArgs) -> pulumi.Output[str]:
        bucket = cloudflare.R2Bucket(
            f"{name}-bucket",
            account_id=args.account_id,
            name=args.bucket,
            location=args.location,
            # R2 takes a location at the first creation of a name only; a difference must never replace the bucket.
            opts=pulumi.ResourceOptions(parent=self, protect=True, retain_on_delete=True, ignore_changes=["location"]),
        )
        cloudflare.R2BucketCors(
            f"{name}-cors",
            account_id=args.account_id,
            bucket_name=bucket.name,
            rules=[
                {
                    "id": "web-app",
                    "allowed": {
                        "origins": args.origins,
                        "methods": ["GET", "HEAD", "PUT"],
                        "headers": ["content-type", "range"],
                    },
                    "expose_headers": ["ETag"],
                    "max_age_seconds": 3600,
                }
            ],
            # The other stacks' pages upload to this bucket too, so what it allows outlives this stack as it does.
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )
        cloudflare.R2BucketLifecycle(
            f"{name}-lifecycle",
            account_id=args.account_id,
            bucket_name=bucket.name,
            rules=lifecycle_rules(),
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )
        return bucket.name

    def _foreign_bucket(self, args: StorageArgs) -> pulumi.Output[str]:
        found = cloudflare.get_r2_bucket_output(
            account_id=args.account_id, bucket_name=args.bucket, opts=pulumi.InvokeOutputOptions(parent=self)
        )
        return found.apply(lambda bucket: str(bucket.name))

    def _token(self, name: str, args: StorageArgs, label: str) -> cloudflare.AccountToken:
        resource = f"com.cloudflare.edge.r2.bucket.{args.account_id}_default_{args.bucket}"
        return cloudflare.AccountToken(
            f"{name}-token-{label}",
            account_id=args.account_id,
            name=f"reel-ballers-{args.stack}-objects-{label}",
            policies=[
                {
                    "effect": "allow",
                    "permission_groups": [{"id": BUCKET_ITEM_WRITE}],
                    "resources": self.bucket.apply(lambda _: json.dumps({resource: "*"})),
                }
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )


def lifecycle_rules() -> list[cloudflare.R2BucketLifecycleRuleArgsDict]:
    """R2's own multipart rule again, because a PUT replaces it, and the expiry of `tmp/` for all environments."""
    abandoned: cloudflare.R2BucketLifecycleRuleArgsDict = {
        "id": "Default Multipart Abort Rule",
        "enabled": True,
        "conditions": {"prefix": ""},
        "abort_multipart_uploads_transition": {"condition": {"type": "Age", "max_age": 7 * DAY_SECONDS}},
    }
    temporary: cloudflare.R2BucketLifecycleRuleArgsDict = {
        "id": "expire-tmp",
        "enabled": True,
        "conditions": {"prefix": "tmp/"},
        "delete_objects_transition": {"condition": {"type": "Age", "max_age": DAY_SECONDS}},
    }
    return [abandoned, temporary]
