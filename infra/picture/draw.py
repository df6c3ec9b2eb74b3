"""One stack, from its plan to the picture's text."""

from infra.cost import cost_items, total
from infra.picture.dot import dot
from infra.picture.graph import graph
from infra.picture.layout import svg
from infra.picture.plan import Plan, plan

SMALLEST_USD = 0.005
FACTS = {"app_url": "web app", "landing_url": "landing page", "api_url": "API", "bucket": "bucket"}


def picture(stack: str) -> str:
    """SVG as text; raises FileNotFoundError, PlanError and LayoutError."""
    found = plan(stack)
    return svg(description(found), title(stack))


def title(stack: str) -> str:
    return f"Reel Ballers: the stack {stack}"


def description(found: Plan) -> str:
    """The picture in Graphviz's language."""
    addresses = [(name, str(found.outputs[output])) for output, name in FACTS.items() if found.outputs.get(output)]
    return dot(graph(found.resources, found.look_ups), title(found.stack), [*addresses, *_costs(found)])


def _costs(found: Plan) -> list[tuple[str, str]]:
    """The estimate, and the items in it that cost something."""
    items = cost_items(found.config)
    lines = [f"{item.usd:.2f} USD {item.name.replace('`', '')}" for item in items if item.usd >= SMALLEST_USD]
    return [("cost", f"{total(items):.2f} USD in a month of 30 days, by estimate"), *(("", line) for line in lines)]
