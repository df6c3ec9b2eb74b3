"""The smallest program worth comparing with: one bucket, by the same provider."""

import os

import pulumi
import pulumi_cloudflare as cloudflare

provider = cloudflare.Provider("cloudflare", base_url=os.environ["BENCH_CLOUDFLARE_URL"])
cloudflare.R2Bucket(
    "bucket",
    account_id=os.environ["BENCH_ACCOUNT_ID"],
    name="bench-one-resource",
    opts=pulumi.ResourceOptions(provider=provider),
)
