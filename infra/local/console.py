"""What a person sees of the local commands: headings, lines and two-column tables on standard output."""

from collections.abc import Mapping

from rich.console import Console

_console = Console(highlight=False, soft_wrap=True)


def heading(text: str) -> None:
    _console.print(f"\n[bold]{text}[/bold]")


def say(text: str) -> None:
    _console.print(f"  {text}", markup=False)


def table(rows: Mapping[str, str]) -> None:
    width = max(map(len, rows), default=0)
    for name, value in rows.items():
        _console.print(f"  {name.ljust(width)}  {value}", markup=False)
