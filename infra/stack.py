"""From one StackConfig to the components and their outputs. Code order is for reading; Pulumi goes by dependency."""

import hashlib
import hmac
from typing import Any
from urllib.parse import urlsplit

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env

from infra.components import cloudflare
from infra.components.backend import Backend, BackendArgs
from infra.components.dns import Dns, DnsArgs, PagesName
from infra.components.gpu import Gpu, GpuArgs
from infra.components.site import PRODUCTION_BRANCH, Site, SiteArgs
from infra.components.storage import Storage, StorageArgs
from infra.config import StackConfig
from infra.cost import cost_items, monthly_cost, table
from infra.fly_config import fly_config
from infra.sources import LANDING, WEB


def current_config() -> StackConfig:
    """The configuration of the stack that Pulumi runs; raises ConfigError."""
    return StackConfig.parse(pulumi.get_stack(), {**get_config_env(), **CONFIG.get()})


def build(config: StackConfig) -> dict[str, Any]:
    """Declare everything of the stack; returns its outputs: one is secret, "" is what the stack does not have."""
    _show_cost(config)
    provider = cloudflare.Provider("cloudflare", base_url=config.cloudflare_url)
    clouds = pulumi.ResourceOptions(providers={"cloudflare": provider})
    storage = _storage(config, clouds)
    gpu = _gpu(config, clouds) if config.gpu_enabled else None
    backend = _backend(config, storage, gpu, clouds)
    app = _app(config, clouds)
    landing = _landing(config, clouds)
    if config.domain and config.zone_id:
        dns = _dns(config, app, landing, backend, clouds)
        backend.certificate(dns.api_hostname)
    return {
        "app_url": config.app_address,
        "api_url": config.api_address,
        "landing_url": config.landing_address or "",
        "health_url": f"{config.api_address}/api/health",
        "ws_url": f"ws{config.api_address.removeprefix('http')}/ws",
        "bucket": storage.bucket,
        "pages_project": app.project,
        "pages_deployment": app.deployment_url,
        "fly_app": backend.app,
        "gpu_app": gpu.app if gpu else "",
        "image": backend.image,
        "version": backend.version,
        "site_digest": app.digest,
        "verify_token": _verify_token(storage),
        "estimated_monthly_cost": monthly_cost(config),
    }


def _show_cost(config: StackConfig) -> None:
    """In a preview, where it can still be thought over."""
    items = cost_items(config)
    if items and pulumi.runtime.is_dry_run():
        pulumi.info(f"estimated cost, against a budget of {config.monthly_budget_usd} USD\n{table(items)}")


def _storage(config: StackConfig, opts: pulumi.ResourceOptions) -> Storage:
    return Storage(
        "storage",
        StorageArgs(
            stack=config.stack,
            account_id=config.account_id,
            bucket=config.bucket,
            managed=config.bucket_managed,
            location=config.bucket_location,
            origins=[*config.origins, *config.bucket_origins],
            keys=config.bucket_keys,
        ),
        opts,
    )


def _verify_token(storage: Storage) -> pulumi.Output[str]:
    """What a check of this stack shows to act as its test user: made from the bucket's key, it changes with that."""
    return storage.secret_access_key.apply(lambda key: hmac.new(key.encode(), b"verify", hashlib.sha256).hexdigest())


def _gpu(config: StackConfig, opts: pulumi.ResourceOptions) -> Gpu:
    # The functions take presigned URLs and hold no key; the one thing they must know is whose URLs to accept.
    settings = {"MEDIA_HOSTS": urlsplit(config.r2_address).netloc}
    return Gpu("gpu", GpuArgs(config.modal_environment, settings, config.modal_url), opts)


def _backend(config: StackConfig, storage: Storage, gpu: Gpu | None, opts: pulumi.ResourceOptions) -> Backend:
    secrets: dict[str, pulumi.Input[str]] = {
        "R2_ACCESS_KEY_ID": storage.access_key_id,
        "R2_SECRET_ACCESS_KEY": storage.secret_access_key,
        "VERIFY_TOKEN": _verify_token(storage),
    }
    if config.modal_token_id and config.modal_token_secret:
        secrets["MODAL_TOKEN_ID"] = pulumi.Output.secret(config.modal_token_id.get_secret_value())
        secrets["MODAL_TOKEN_SECRET"] = pulumi.Output.secret(config.modal_token_secret.get_secret_value())
    # Before the custom domain resolves, the app answers under Fly's own name.
    origin = config.api_url or f"https://{config.fly_app}.fly.dev"
    args = BackendArgs(
        config=fly_config(config),
        org=config.fly_org,
        machines=config.machines,
        health_url=f"{origin}/api/health",
        secrets=secrets,
        image=config.image,
        redeploy=config.redeploy,
        fly_url=config.fly_url,
    )
    # A backend that finds no functions would fail its readiness, so the functions come first.
    first = pulumi.ResourceOptions(depends_on=[gpu]) if gpu else None
    return Backend("backend", args, pulumi.ResourceOptions.merge(opts, first))


def _app(config: StackConfig, opts: pulumi.ResourceOptions) -> Site:
    args = SiteArgs(
        account_id=config.account_id,
        project=config.pages_project,
        managed=config.pages_managed,
        branch=config.pages_branch,
        folder="app/web",
        shipment=WEB,
        shared=True,
        api_url=config.api_address,
        storage_origins=(config.r2_address,),
        digest=config.site_digest,
        cloudflare_url=config.cloudflare_url,
        site_url=config.app_url if config.cloudflare_url else None,
    )
    return Site("app", args, opts)


def _landing(config: StackConfig, opts: pulumi.ResourceOptions) -> Site | None:
    if config.landing_project is None:
        return None
    args = SiteArgs(
        account_id=config.account_id,
        project=config.landing_project,
        managed=True,
        branch=PRODUCTION_BRANCH,
        folder="app/web/landing",
        shipment=LANDING,
        cloudflare_url=config.cloudflare_url,
    )
    return Site("landing", args, opts)


def _dns(config: StackConfig, app: Site, landing: Site | None, backend: Backend, opts: pulumi.ResourceOptions) -> Dns:
    domain, zone_id = config.domain or "", config.zone_id or ""
    pages = [PagesName("app", f"app.{domain}", app.project, app.subdomain)]
    if landing:
        pages.append(PagesName("apex", domain, landing.project, landing.subdomain))
    return Dns("dns", DnsArgs(config.account_id, zone_id, pages, f"api.{domain}", backend.app), opts)
