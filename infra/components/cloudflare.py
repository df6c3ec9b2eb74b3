"""The resources of pulumi_cloudflare that this program declares, without loading its other 760 modules.

The package imports all its modules at once, which takes most of a second. Put into `sys.modules` unexecuted, it is
still where its modules find each other, and Python loads those that are asked for.
"""

import importlib.util
import sys

NAME = "pulumi_cloudflare"

if NAME not in sys.modules:
    found = importlib.util.find_spec(NAME)
    if found is None:
        raise ModuleNotFoundError(f"{NAME} is not installed: run `make setup`")
    sys.modules[NAME] = importlib.util.module_from_spec(found)

# ruff: noqa: E402 -- the imports below find the package that was put there
from pulumi_cloudflare._inputs import R2BucketLifecycleRuleArgsDict
from pulumi_cloudflare.account_token import AccountToken
from pulumi_cloudflare.dns_record import DnsRecord
from pulumi_cloudflare.get_pages_project import get_pages_project_output
from pulumi_cloudflare.get_r2_bucket import get_r2_bucket_output
from pulumi_cloudflare.pages_domain import PagesDomain
from pulumi_cloudflare.pages_project import PagesProject
from pulumi_cloudflare.provider import Provider
from pulumi_cloudflare.r2_bucket import R2Bucket
from pulumi_cloudflare.r2_bucket_cors import R2BucketCors
from pulumi_cloudflare.r2_bucket_lifecycle import R2BucketLifecycle

__all__ = [
    "AccountToken",
    "DnsRecord",
    "PagesDomain",
    "PagesProject",
    "Provider",
    "R2Bucket",
    "R2BucketCors",
    "R2BucketLifecycle",
    "R2BucketLifecycleRuleArgsDict",
    "get_pages_project_output",
    "get_r2_bucket_output",
]
