"""The estimate from the dated price table, and the written figures of requirement I9 recomputed from it."""

import json
import re
from datetime import date
from pathlib import Path

import pytest
import yaml

from infra.config import StackConfig
from infra.cost import UnpricedError, cost_items, machine_price, monthly_cost, table, total
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


@pytest.mark.parametrize(("exports", "paid"), [(40_000, 0), (50_000, 0.25 * 4.5), (60_000, 0.5 * 4.5 + 2 * 0.36)])
def test_operations_are_paid_above_the_free_ones(exports: int, paid: float) -> None:
    assert usd(config(exportsPerMonth=exports), "R2 class") == pytest.approx(paid)


def test_rendering_on_the_own_machine_pays_no_modal() -> None:
    assert usd(config(exportsPerMonth=1000, gpuEnabled="false"), "Modal") == 0
    assert usd(config(exportsPerMonth=1000), "Modal") > 0


def test_the_functions_are_billed_as_the_program_declares_them() -> None:
    """Read from the source of gpu/app.py: this part of the repository may not import it."""
    text = (ROOT / "gpu" / "app.py").read_text()
    declared = {name: text.split(f"def {name}(")[0].rpartition("@app.function(")[2] for name in ("probe", "render")}
    for name, body in declared.items():
        cores, memory = re.search(r"cpu=\(?([\d.]+)", body), re.search(r"memory=\(?(\d+)", body)
        idle = re.search(r"scaledown_window=(\d+)", body)
        assert cores and memory and idle  # noqa: PT018
        assert prices().amount(f"{name}_cores") == float(cores[1])
        assert prices().amount(f"{name}_memory_gib") == int(memory[1]) / 1024
        assert prices().amount(f"{name}_idle_seconds") == int(idle[1])
        assert "gpu=" not in body, "a function with a GPU needs its price in the table"


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
