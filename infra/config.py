"""StackConfig: the whole stack file as one typed value. Every mistake of a file is reported at once.

Keys are flat and camelCase (`reel:flyRegion`), because Pulumi types only flat keys; unknown keys are mistakes.
"""

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, NamedTuple, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

NAMESPACE = "reel"

Hex32 = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Label = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,56}[a-z0-9])?$")]
Hostname = Annotated[str, Field(pattern=r"^([a-z0-9-]+\.)+[a-z]{2,}$")]
Url = Annotated[str, Field(pattern=r"^https?://[^/\s]+(/[^\s]*)?$"), AfterValidator(lambda url: url.rstrip("/"))]


def _from_json(value: object) -> object:
    """Pulumi hands everything over as JSON text; most types read it themselves, lists and literals do not."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError as error:
        raise ValueError("not JSON") from error


def _absent(value: object) -> object:
    """Pulumi's schema makes a key without a default required, so an optional key has the default ''."""
    return None if value == "" else value


class ConfigError(Exception):
    """The stack file is wrong; the message lists every mistake with file, key, value and what is allowed."""


T = TypeVar("T")
Absent = Annotated[T | None, BeforeValidator(_absent)]


class StackConfig(BaseModel):
    """One stack. Sizes in MB, addresses without a trailing slash; `None` means the real cloud's own address."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, hide_input_in_errors=True)

    stack: str
    environment: Label = Field(description="APP_ENV: which data the backend sees; development trusts every caller")

    account_id: Hex32 = Field(description="Cloudflare account")
    domain: Absent[Hostname] = Field(default=None, description="apex of the custom domains; needs zoneId")
    zone_id: Absent[Hex32] = Field(default=None, description="Cloudflare zone of the domain")

    bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$")] = "reel-ballers-users"
    bucket_managed: bool = Field(description="true in the one stack that owns the bucket; the others look it up")
    bucket_origins: Annotated[tuple[Url, ...], BeforeValidator(_from_json)] = Field(
        default=(), description="web origins of the other stacks that share the bucket, as a list"
    )
    bucket_location: Literal["apac", "eeur", "enam", "weur", "wnam", "oc"] = "wnam"

    bucket_keys: Annotated[tuple[Label, ...], Field(min_length=1, max_length=3), BeforeValidator(_from_json)] = Field(
        default=("a",), description="labels of this stack's keys to the bucket, as a list: all exist, the last is used"
    )

    pages_project: Label = "reel-ballers-app"
    pages_managed: bool = Field(description="true in the one stack that owns the Pages project of the app")
    pages_branch: Label = Field(description="branch of a deployment; `main` is what the project's own domain shows")
    pages_previews: bool = Field(
        default=False, description="true lets every deployment of the Pages project call this backend"
    )
    landing_project: Absent[Label] = Field(default=None, description="Pages project of the landing page")
    site_digest: Absent[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]] = Field(
        default=None, description="the built web app must have this digest: the output site_digest of another stack"
    )

    fly_app: Label
    fly_org: Label = "personal"
    fly_region: Annotated[str, Field(pattern=r"^[a-z]{3}$")] = "lax"
    vm_cpu_kind: Literal["shared", "performance"] = "shared"
    vm_cpus: Annotated[Literal[1, 2, 4, 8], BeforeValidator(_from_json)] = 1
    vm_memory_mb: Annotated[int, Field(ge=256, le=131072)] = 512
    machines: Annotated[int, Field(ge=1, le=50)] = Field(default=1, description="machines that exist: the ceiling")
    min_machines_running: Annotated[int, Field(ge=0, le=50)] = 0
    requests_soft_limit: Annotated[int, Field(ge=1)] = 200
    requests_hard_limit: Annotated[int, Field(ge=1)] = 250
    web_concurrency: Annotated[int, Field(ge=1, le=64)] = 1
    deploy_strategy: Literal["rolling", "canary", "bluegreen"] = "rolling"
    image: Absent[Annotated[str, Field(pattern=r"^[^@\s]+@sha256:[0-9a-f]{64}$")]] = Field(
        default=None,
        description="NAME@sha256:DIGEST to deploy instead of building one: the output image of another stack",
    )
    redeploy: Absent[Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,64}$")]] = Field(
        default=None, description="another text here deploys the backend again although nothing else changed"
    )

    gpu_enabled: bool = Field(default=True, description="false renders on the backend's own machine")
    modal_environment: Label = "main"
    modal_token_id: Absent[SecretStr] = Field(default=None, description="what the backend calls Modal with")
    modal_token_secret: Absent[SecretStr] = None

    monthly_budget_usd: Annotated[int, Field(ge=0)] = Field(
        default=20, description="a plan whose estimate is above it violates a policy"
    )
    exports_per_month: Annotated[int, Field(ge=0)] = Field(
        default=0, description="exports that the estimate reckons with"
    )
    storage_gb: Annotated[int, Field(ge=0)] = Field(default=0, description="GB in the bucket, for the estimate")

    api_url: Absent[Url] = Field(default=None, description="only where no domain and no fly.dev name is reachable")
    app_url: Absent[Url] = None
    cloudflare_url: Absent[Url] = None
    r2_endpoint: Absent[Url] = None
    fly_url: Absent[Url] = None
    modal_url: Absent[Url] = None

    @property
    def api_address(self) -> str:
        """Where users reach the backend, without a trailing slash."""
        if self.api_url:
            return self.api_url
        return f"https://api.{self.domain}" if self.domain else f"https://{self.fly_app}.fly.dev"

    @property
    def app_address(self) -> str:
        """Where users reach the web app, without a trailing slash."""
        if self.app_url:
            return self.app_url
        if self.domain:
            return f"https://app.{self.domain}"
        branch = "" if self.pages_branch == "main" else f"{self.pages_branch}."
        return f"https://{branch}{self.pages_project}.pages.dev"

    @property
    def landing_address(self) -> str | None:
        return f"https://{self.domain}" if self.landing_project else None

    @property
    def r2_address(self) -> str:
        return self.r2_endpoint or f"https://{self.account_id}.r2.cloudflarestorage.com"

    @property
    def origins(self) -> list[str]:
        """Web origins that may call the backend and the bucket."""
        return [self.app_address]

    @property
    def api_origins(self) -> list[str]:
        """Web origins that may call the backend; `*` stands for one label. The bucket's CORS knows no such patterns."""
        previews = [f"https://*.{self.pages_project}.pages.dev"] if self.pages_previews else []
        return [*self.origins, *previews]

    @classmethod
    def parse(cls, stack: str, values: Mapping[str, Any]) -> Self:
        """From the raw `reel:*` values of one stack (text, as Pulumi hands them over); raises ConfigError."""
        prefix = f"{NAMESPACE}:"
        own = {key.removeprefix(prefix): value for key, value in values.items() if key.startswith(prefix)}
        mistakes: dict[str, str] = {}
        try:
            parsed = cls(**{**own, "stack": stack})
        except ValidationError as error:
            mistakes = {str(each["loc"][0]): _reason(own, each) for each in error.errors(include_url=False)}
            sound = {key: value for key, value in own.items() if key not in mistakes}
            parsed = cls(**{**_NEUTRAL, **sound, "stack": stack})
        for rule in RULES:
            if not mistakes.keys() & set(rule.keys) and not rule.holds(parsed):
                mistakes[rule.keys[0]] = f"{_shown(own, rule.keys[0])}: {rule.message(parsed)}"
        if mistakes:
            lines = [f"  {prefix}{key}: {reason}" for key, reason in mistakes.items()]
            raise ConfigError("\n".join([f"Pulumi.{stack}.yaml has {len(lines)} mistake(s):", *lines]))
        return parsed


_NEUTRAL = {
    "environment": "staging",
    "accountId": "0" * 32,
    "bucketManaged": True,
    "pagesManaged": True,
    "pagesBranch": "main",
    "flyApp": "x",
}  # stands in for a key that is wrong, so that the rules about the others are still checked


class Rule(NamedTuple):
    """A rule between keys; it is checked when each of its keys is valid by itself."""

    keys: tuple[str, ...]
    holds: Callable[[StackConfig], bool]
    message: Callable[[StackConfig], str]


def _memory_range(config: StackConfig) -> tuple[int, int, int]:
    """Smallest and largest MB of one CPU, and the step of the whole (Fly's machine sizes)."""
    return (2048, 8192, 2048) if config.vm_cpu_kind == "performance" else (256, 2048, 256)


def _memory_fits(config: StackConfig) -> bool:
    low, high, step = _memory_range(config)
    return config.vm_memory_mb % step == 0 and low <= config.vm_memory_mb / config.vm_cpus <= high


RULES = (
    Rule(
        ("environment",),
        lambda c: c.environment != "tmp",
        lambda c: "what the bucket has under tmp/ expires; take another name",
    ),
    Rule(
        ("domain", "zoneId"),
        lambda c: (c.domain is None) == (c.zone_id is None),
        lambda c: "domain and zoneId go together: set both or neither",
    ),
    Rule(
        ("landingProject", "domain"),
        lambda c: c.landing_project is None or c.domain is not None,
        lambda c: "a landing page needs a domain",
    ),
    Rule(
        ("minMachinesRunning", "machines"),
        lambda c: c.min_machines_running <= c.machines,
        lambda c: f"it must be at most machines, {c.machines}",
    ),
    Rule(
        ("requestsSoftLimit", "requestsHardLimit"),
        lambda c: c.requests_soft_limit < c.requests_hard_limit,
        lambda c: f"it must be below requestsHardLimit, {c.requests_hard_limit}",
    ),
    Rule(
        ("vmMemoryMb", "vmCpuKind", "vmCpus"),
        _memory_fits,
        lambda c: "a {} machine has {} to {} MB for each CPU, in steps of {}".format(c.vm_cpu_kind, *_memory_range(c)),
    ),
    Rule(
        ("modalTokenId", "gpuEnabled"),
        lambda c: not c.gpu_enabled or c.modal_token_id is not None,
        lambda c: f"gpuEnabled needs it: pulumi config set --secret {NAMESPACE}:modalTokenId VALUE -s {c.stack}",
    ),
    Rule(
        ("modalTokenSecret", "gpuEnabled"),
        lambda c: not c.gpu_enabled or c.modal_token_secret is not None,
        lambda c: f"gpuEnabled needs it: pulumi config set --secret {NAMESPACE}:modalTokenSecret VALUE -s {c.stack}",
    ),
    Rule(
        ("apiUrl", "environment"),
        lambda c: c.environment != "development" or c.api_url is not None,
        lambda c: "environment development needs it",
    ),
    Rule(
        ("appUrl", "environment"),
        lambda c: c.environment != "development" or c.app_url is not None,
        lambda c: "environment development needs it",
    ),
)

SECRET_KEYS = frozenset({"modalTokenId", "modalTokenSecret"})


def _shown(values: Mapping[str, Any], key: str) -> str:
    if key not in values:
        return "it is not set"
    return f"{'[secret]' if key in SECRET_KEYS else repr(values[key])} is wrong"


def _reason(values: Mapping[str, Any], mistake: ErrorDetails) -> str:
    key = str(mistake["loc"][0])
    if mistake["type"] == "extra_forbidden":
        return f"unknown key; known are {', '.join(known_keys())}"
    if mistake["type"] == "missing":
        return f"missing ({_allowed(key)})"
    return f"{_shown(values, key)}: {mistake['msg']} ({_allowed(key)})"


def _allowed(key: str) -> str:
    schema = StackConfig.model_json_schema()["properties"][key]
    return str(schema.get("description") or schema.get("enum") or schema.get("pattern") or schema.get("type"))


def known_keys() -> list[str]:
    """Keys of a stack file, without the namespace."""
    return sorted(key for key in StackConfig.model_json_schema()["properties"] if key != "stack")
