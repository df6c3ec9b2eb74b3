"""Money: what the planned machines and the expected use cost, against `reel:monthlyBudgetUsd`.

Sizes and counts come from the plan; exports, storage, the budget and the region's prices from the stack file and
infra/prices.json.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.config import StackConfig
from infra.cost import cost_items, machine_price, monthly_cost, table
from infra.policy.model import Context, Plan, PlannedResource, ResourceRule, StackRule
from infra.policy.steps import fly_settings, is_step, step_inputs
from infra.policy.values import UnreadableError


@dataclass(frozen=True)
class Machines:
    """What `infra.cost` prices, as the plan has it."""

    environment: str
    vm_cpu_kind: str
    vm_cpus: int
    vm_memory_mb: int
    fly_region: str
    machines: int
    min_machines_running: int
    exports_per_month: int
    storage_gb: int
    gpu_enabled: bool


def _within_budget(resource: PlannedResource, context: Context) -> Iterator[str]:
    if not is_step(resource, "fly deploy"):
        return
    wanted = _wanted(fly_settings(resource, context), context, None)
    cost, budget = monthly_cost(wanted), _number(context, "monthly_budget_usd")
    if cost > budget:
        yield f"about {cost:.2f} USD a month, {budget} are allowed:\n{table(cost_items(wanted))}"


def _ceiling_within_budget(plan: Plan) -> Iterator[tuple[str, str]]:
    deployment = next((each for each in plan.resources if is_step(each, "fly deploy")), None)
    scale = next((each for each in plan.resources if is_step(each, "fly scale")), None)
    if deployment is None or scale is None:
        return
    machines = step_inputs(scale, plan.context).get("machines")
    wanted = _wanted(fly_settings(deployment, plan.context), plan.context, machines)
    if wanted.environment == "development":
        return
    budget, ceiling = _number(plan.context, "monthly_budget_usd"), wanted.machines * machine_price(wanted)
    if ceiling > budget:
        yield scale.urn, f"{wanted.machines} machines would cost {ceiling:.2f} USD if all ran; {budget} are allowed"


def _wanted(config: Mapping[str, Any], context: Context, machines: object) -> Machines:
    try:
        [vm] = config["vm"]
        if "gpu_kind" in vm:
            raise ValueError(f"{vm['gpu_kind']} has no price")
        service = config.get("http_service", {})
        warm = int(service.get("min_machines_running", 0))
        exist = machines if isinstance(machines, int) else _number(context, "machines")
        wanted = Machines(
            environment=str(config.get("env", {}).get("APP_ENV", "")),
            vm_cpu_kind=str(vm["cpu_kind"]),
            vm_cpus=int(vm["cpus"]),
            vm_memory_mb=int(vm["memory_mb"]),
            fly_region=str(config["primary_region"]),
            machines=max(exist, warm),
            min_machines_running=warm,
            exports_per_month=_number(context, "exports_per_month"),
            storage_gb=_number(context, "storage_gb"),
            gpu_enabled=context.config.get("gpuEnabled") != "false",
        )
        machine_price(wanted)
    except (LookupError, TypeError, ValueError) as error:
        raise UnreadableError(f"the Fly configuration has no machine size that can be priced: {error!r}") from error
    return wanted


def _number(context: Context, field: str) -> int:
    """The stack file's number, else StackConfig's default."""
    known = StackConfig.model_fields[field]
    return int(context.config.get(known.alias or field, known.default))


RULES = (
    ResourceRule(
        name="within-budget",
        description="Machines and expected use cost no more than the stack's monthly budget.",
        remedy="plan fewer or smaller machines, or raise reel:monthlyBudgetUsd",
        check=_within_budget,
    ),
)

STACK_RULES = (
    StackRule(
        name="ceiling-within-budget",
        description="Even if every machine that exists ran all month, machines would stay within the budget.",
        remedy="lower reel:machines, or raise reel:monthlyBudgetUsd",
        check=_ceiling_within_budget,
        level="advisory",
    ),
)
