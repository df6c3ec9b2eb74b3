"""The estimate from the dated price table, and the written figures of requirement I9 recomputed from it."""

import json
import re
from datetime import date
from pathlib import Path

import pytest
import yaml

from infra.config import StackConfig
from infra.cost import UnpricedError, cost_items, machine_price, monthly_cost, networks, table, total
from infra.cost.calls import GPU, call, upscale_usd
from infra.cost.prices import FILE, Amount, prices
from infra.sources import ROOT
from tests.infra.test_config import staging

DOCUMENT = ROOT / "docs" / "cost.md"
HOURS = 30 * 24
NOTHING = {"exportsPerMonth": 0, "storageGb": 0}


def config(**changes: object) -> StackConfig:
    return StackConfig.parse("staging", staging(**{**NOTHING, **changes}))


def production(**changes: object) -> StackConfig:
    size = {"flyRegion": "ord", "vmMemoryMb": 1024, "machines": 2, "minMachinesRunning": 1}
    return config(**{**size, **changes})


def usd(stack: StackConfig, *names: str) -> float:
    return sum(item.usd for item in cost_items(stack) if item.name.startswith(names))


def test_every_price_and_amount_has_a_dated_source() -> None:
    data = prices()
    rows = [*data.machines, *data.regions, data.unlisted_region, *data.prices.values(), *data.amounts.values()]
    assert {row.source for row in rows} == data.sources.keys()
    for source in data.sources.values():
        assert date.fromisoformat(source.as_of) <= date.fromisoformat(source.checked)
        assert source.where


def test_every_item_names_its_source_and_day() -> None:
    for item in cost_items(production(exportsPerMonth=1000, storageGb=50)):
        assert re.search(r"\(\d{4}-\d\d-\d\d\)", item.source), item


def test_the_sum_of_the_items_is_the_estimate() -> None:
    stack = production(exportsPerMonth=1000, storageGb=50)
    items = cost_items(stack)
    assert monthly_cost(stack) == total(items) == round(sum(item.quantity * item.unit_usd for item in items), 2)


def test_local_costs_nothing() -> None:
    addresses = {"apiUrl": "http://127.0.0.1:8000", "appUrl": "http://127.0.0.1:5173"}
    stack = config(environment="development", minMachinesRunning=1, exportsPerMonth=1000, storageGb=50, **addresses)
    assert cost_items(stack) == []
    assert monthly_cost(stack) == 0


def test_scale_to_zero_costs_only_the_stopped_disk() -> None:
    assert monthly_cost(config()) == pytest.approx(0.15)


def test_memory_between_two_sizes_is_priced_by_the_gigabyte() -> None:
    assert machine_price(config(flyRegion="iad", vmMemoryMb=768)) == pytest.approx(3.19 + 0.25 * 5)


def test_an_unlisted_region_is_reckoned_as_the_dearest_and_says_so() -> None:
    stack = config(flyRegion="nrt", minMachinesRunning=1)
    assert machine_price(stack) == pytest.approx(3.19 * max(region.factor for region in prices().regions))
    assert "assumed" in cost_items(stack)[0].source


def test_a_size_without_a_price_is_an_error_and_not_free() -> None:
    with pytest.raises(UnpricedError, match="no machine 'shared-3'; it has shared-1"):
        prices().listed_machine("shared-3", 1024)


def test_more_machines_cost_more() -> None:
    one = usd(config(machines=1, minMachinesRunning=1), "machines")
    assert usd(config(machines=2, minMachinesRunning=2), "machines") == pytest.approx(2 * one)


@pytest.mark.parametrize(("stored_gb", "paid"), [(0, 0), (10, 0), (11, 0.015), (50, 0.60)])
def test_ten_gigabytes_are_free(stored_gb: int, paid: float) -> None:
    assert usd(config(storageGb=stored_gb), "R2 storage") == pytest.approx(paid)


@pytest.mark.parametrize(("exports", "paid"), [(16_000, 0), (40_000, 14.8 * 0.36), (60_000, 0.5 * 4.5 + 27.2 * 0.36)])
def test_operations_are_paid_above_the_free_ones(exports: int, paid: float) -> None:
    assert usd(config(exportsPerMonth=exports), "R2 class") == pytest.approx(paid)


def test_rendering_on_the_own_machine_pays_no_modal() -> None:
    assert usd(config(exportsPerMonth=1000, gpuEnabled="false"), "Modal") == 0
    assert usd(config(exportsPerMonth=1000), "Modal") > 0


FUNCTIONS = ("probe", "render", "derive", "track", "upscale", "upscale_chunk")
GPU_APP = (ROOT / "gpu" / "app.py").read_text()
"""Read as text: this part of the repository may not import it."""


def test_the_functions_are_billed_as_the_program_declares_them() -> None:
    assert tuple(sorted(re.findall(r"^def (\w+)\(request", GPU_APP, re.MULTILINE))) == tuple(sorted(FUNCTIONS))
    with_gpu = set()
    for name in FUNCTIONS:
        body = GPU_APP.split(f"def {name}(request")[0].rpartition("@app.function(")[2]
        cores, memory = re.search(r"cpu=\(?([\d.]+)", body), re.search(r"memory=\(?(\d+)", body)
        idle = re.search(r"scaledown_window=(\d+)", body)
        assert cores and memory and idle  # noqa: PT018
        assert prices().amount(f"{name}_cores") == float(cores[1])
        assert prices().amount(f"{name}_memory_gib") == int(memory[1]) / 1024
        assert prices().amount(f"{name}_idle_seconds") == int(idle[1])
        with_gpu |= {name} if "gpu=" in body else set()
    assert with_gpu == {"track", "upscale_chunk"}, "infra/cost/usage.py gives these a GPU"


def test_every_gpu_that_a_function_may_get_has_its_price_and_the_first_is_reckoned() -> None:
    listed = re.search(r"^GPUS = (\[.*\])$", GPU_APP, re.MULTILINE)
    assert listed
    gpus = json.loads(listed[1])
    assert gpus[0] == GPU
    assert {f"modal_{gpu.lower()}" for gpu in gpus} <= prices().prices.keys()


def test_the_weights_that_a_gpu_needs_are_those_of_the_program() -> None:
    named = re.search(r"^WEIGHTS = \((.*)\)$", GPU_APP, re.MULTILINE)
    assert named
    assert tuple(json.loads(f"[{named[1]}]")) == networks.NEEDED


def _lock(folder: Path, monkeypatch: pytest.MonkeyPatch, *verified: str) -> None:
    entries = [{"name": name, "sha256": "a" * 64 if name in verified else None} for name in (*networks.NEEDED, "other")]
    (folder / "weights.lock").write_text(json.dumps({"weights": entries}))
    monkeypatch.setattr(networks, "WEIGHTS_LOCK", folder / "weights.lock")


@pytest.mark.parametrize("verified", [(), networks.NEEDED[:1], ("other",)])
def test_without_networks_no_gpu_is_in_the_estimate(
    verified: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _lock(tmp_path, monkeypatch, *verified)
    sources = " ".join(item.source + item.name for item in cost_items(production(exportsPerMonth=1000)))
    assert not re.search(r"GPU|track|upscale", sources)


def test_with_networks_calls_on_a_gpu_are_in_the_estimate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _lock(tmp_path, monkeypatch, *networks.NEEDED)
    amounts = {f"{name}_per_export": Amount(source="counted", value=0.5) for name in ("track", "upscale")}
    changed = prices().model_copy(update={"amounts": {**prices().amounts, **amounts}})
    monkeypatch.setattr("infra.cost.usage.prices", lambda: changed)
    stack = production(exportsPerMonth=1000)
    assert usd(stack, "Modal `track` on L4") == pytest.approx(500 * 0.02021, abs=0.01)
    assert usd(stack, "Modal `upscale` on L4") == pytest.approx(500 * 0.03179, abs=0.01)
    assert usd(config(exportsPerMonth=1000, gpuEnabled="false"), "Modal") == 0


def test_the_document_states_what_a_call_costs() -> None:
    table = prices()
    assert call(table, "derive").usd == pytest.approx(0.00108, abs=5e-6)
    assert [call(table, "track", gpu).usd for gpu in ("L4", "T4", "A10")] == pytest.approx(
        [0.0202, 0.0156, 0.0269], abs=5e-5
    )
    assert [upscale_usd(table, gpu) for gpu in ("L4", "T4", "A10")] == pytest.approx([0.0318, 0.0247, 0.0420], abs=5e-5)
    _stated("0.00108", "0.0202", "0.0156", "0.0269", "0.0318", "0.0247", "0.0420")


def test_the_backend_calls_neither_derive_nor_a_gpu_yet() -> None:
    """When this fails, count the calls of an export in prices.json and docs/cost.md."""
    code = "\n".join(path.read_text() for path in sorted((ROOT / "app").rglob("*.py")))
    assert "RENDER_FUNCTION" in code
    called = [name for name in ("derive", "track", "upscale") if f"{name.upper()}_FUNCTION" in code]
    assert called == [name for name in ("derive", "track", "upscale") if prices().amount(f"{name}_per_export")]


def test_the_table_has_every_item_and_the_sum() -> None:
    items = cost_items(production(exportsPerMonth=1000, storageGb=50))
    head, *rows, last = table(items).splitlines()
    assert head.split() == ["a", "month", "of", "30", "days", "quantity", "USD", "each", "USD"]
    assert [row.startswith(item.name) for row, item in zip(rows, items, strict=True)] == [True] * len(items)
    assert last.split() == ["in", "all", f"{total(items):.2f}"]
    assert len({len(line) for line in (head, *rows, last)}) == 1


class TestWrittenFigures:
    """Requirement I9, figure by figure; docs/cost.md states the same numbers."""

    def test_staging_is_zero_to_two(self) -> None:
        asleep = monthly_cost(config())
        awake_hours = (2 - asleep) / (machine_price(config()) / HOURS)
        assert asleep == pytest.approx(0.15)
        assert machine_price(config()) == pytest.approx(3.828)
        assert awake_hours == pytest.approx(348, abs=1)
        _stated("0.15", "3.83", "348 hours")

    def test_production_always_on_is_seven_to_ten(self) -> None:
        assert machine_price(production()) == pytest.approx(5.70 * 1.25)
        assert monthly_cost(production()) == pytest.approx(7.28, abs=0.01)
        assert monthly_cost(production()) + prices().prices["dedicated_ipv4"].usd == pytest.approx(9.28, abs=0.01)
        _stated("7.28", "9.28")

    def test_r2_with_fifty_gigabytes_is_sixty_cents_and_not_seventy_five(self) -> None:
        assert 50 * prices().prices["r2_storage"].usd == pytest.approx(0.75)
        assert usd(production(storageGb=50, exportsPerMonth=1000), "R2") == pytest.approx(0.60)
        _stated("0.75", "0.60")

    @pytest.mark.parametrize(("clip_s", "expected"), [(15, 3.01), (30, 3.61), (60, 4.80), (120, 7.19), (140, 7.99)])
    def test_modal_for_a_thousand_exports_is_three_to_eight(
        self, clip_s: int, expected: float, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        amounts = {**prices().amounts, "clip_seconds": Amount(source="assumed", value=clip_s)}
        changed = prices().model_copy(update={"amounts": amounts})
        monkeypatch.setattr("infra.cost.usage.prices", lambda: changed)
        assert usd(production(exportsPerMonth=1000), "Modal") == pytest.approx(expected, abs=0.005)
        _stated(f"{expected:.2f}")

    def test_a_thousand_exports_in_all_are_eleven_to_eighteen(self) -> None:
        assert monthly_cost(production(storageGb=50, exportsPerMonth=1000)) == pytest.approx(11.48, abs=0.01)
        _stated("11.48")


def test_the_committed_stacks_are_within_their_budgets_and_the_document() -> None:
    for stack in ("staging", "production"):
        parsed = StackConfig.parse(stack, _values(stack))
        cost = monthly_cost(parsed)
        assert cost <= parsed.monthly_budget_usd
        _stated(f"{cost:.2f}")


def test_the_document_names_every_source_of_the_table() -> None:
    for source in json.loads(FILE.read_text())["sources"]:
        assert f"`{source}`" in DOCUMENT.read_text()


def _values(stack: str) -> dict[str, object]:
    values = yaml.safe_load(Path(ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    return {**values, "reel:modalTokenId": "x", "reel:modalTokenSecret": "x"}


def _stated(*figures: str) -> None:
    text = DOCUMENT.read_text()
    assert [figure for figure in figures if figure not in text] == []
