"""DOT to SVG, by Graphviz as the web tools' packages have it: the same text gives the same picture on every machine."""

import re
import subprocess
from html import escape
from pathlib import Path

from infra.picture.dot import ROOM
from infra.sources import ROOT

NODE = ROOT / ".venv/bin/node"
WEB_PACKAGE = ROOT / "app/web/package.json"
SCRIPT = Path(__file__).with_name("layout.mjs")
FONTS = "Helvetica,Arial,sans-serif"
LAYOUT_TIMEOUT_S = 120


class LayoutError(Exception):
    """Graphviz could not draw; the message holds its reason and the next step."""


def svg(dot: str, title: str, package: Path = WEB_PACKAGE) -> str:
    """`package`: the package.json beside the node_modules that has `@viz-js/viz`. Raises LayoutError."""
    try:
        done = subprocess.run(
            [str(NODE), str(SCRIPT), str(package)],
            input=dot,
            capture_output=True,
            text=True,
            check=False,
            timeout=LAYOUT_TIMEOUT_S,
        )
    except FileNotFoundError:
        raise LayoutError(f"{NODE} is not there: run `make setup`") from None
    if done.returncode != 0 or "<svg" not in done.stdout:
        said = (done.stderr or done.stdout).strip().splitlines()
        reason = next((line for line in said if "Error: " in line), said[-1] if said else "it said nothing")
        raise LayoutError(f"Graphviz did not draw (is `make setup` done?): {reason}")
    return _described(done.stdout, title)


def _described(drawn: str, title: str) -> str:
    """Text as large as it is meant, a white ground for dark pages, a name for who cannot see it."""
    body = drawn[drawn.index("<svg") :]
    body = re.sub(r"<!--.*?-->\n?", "", body, flags=re.DOTALL)
    body = re.sub(r"<title>[^<]*</title>\n?", "", body)
    body = re.sub(r'font-size="([\d.]+)"', lambda found: f'font-size="{float(found[1]) / ROOM:.2f}"', body)
    body = re.sub('font-family="[^"]*"', f'font-family="{FONTS}"', body)
    head, inside = body.split(">", 1)
    return f'{head} role="img" style="background:#ffffff">\n<title>{escape(title)}</title>{inside}'.strip() + "\n"
