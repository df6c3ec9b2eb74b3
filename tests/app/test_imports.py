"""The directions of architecture.md, read from the source."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

APP = Path(__file__).parents[2] / "app"
DOMAINS = frozenset({"media", "games", "clips", "projects", "exports", "reels"})
ROOMS_WITHOUT_DOMAINS = frozenset({"kit", "http", "storage", "library", "jobs", "progress"})
ALLOWED_GPU = ("gpu.contract.", "gpu.plan.spec.")


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def sources() -> list[tuple[str, str]]:
    """(room, what it imports) of every file; files beside the rooms have room ""."""
    found = []
    for path in sorted(APP.rglob("*.py")):
        parts = path.relative_to(APP).parts
        if parts[0] != "web":
            found += [(parts[0] if len(parts) > 1 else "", name) for name in imports(path)]
    return found


def test_rooms_import_no_domain() -> None:
    wrong = [
        (room, name)
        for room, name in sources()
        if room in ROOMS_WITHOUT_DOMAINS and name.startswith(tuple(f"app.{domain}" for domain in DOMAINS))
    ]
    assert wrong == []


def test_a_domain_imports_another_only_through_its_service() -> None:
    wrong = []
    for room, name in sources():
        parts = name.split(".")
        foreign = room in DOMAINS and parts[0] == "app" and len(parts) > 1 and parts[1] in DOMAINS - {room}
        if foreign and parts[2] != "service":
            wrong.append((room, name))
    assert wrong == []


def test_domains_do_not_import_each_other_in_circles() -> None:
    graph = {
        domain: {name.split(".")[1] for room, name in sources() if room == domain and name.startswith("app.")} & DOMAINS
        for domain in DOMAINS
    }
    graph = {domain: needs - {domain} for domain, needs in graph.items()}
    while graph:
        leaves = {domain for domain, needs in graph.items() if not needs & graph.keys()}
        assert leaves, f"a circle among {sorted(graph)}"
        graph = {domain: needs for domain, needs in graph.items() if domain not in leaves}


def test_of_gpu_only_contract_and_plan_are_imported_and_of_infra_nothing() -> None:
    foreign = [name for _, name in sources() if name.split(".")[0] in ("gpu", "infra")]
    assert [name for name in foreign if name != "gpu" and not name.startswith(ALLOWED_GPU)] == []
