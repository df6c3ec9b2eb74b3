import re
from pathlib import Path

APP = Path(__file__).parents[2] / "app"


def test_every_variable_that_is_read_is_documented() -> None:
    source = (APP / "settings.py").read_text()
    names = set(re.findall(r'read\.\w+\(\s*"([A-Z][A-Z0-9_]+)"', source)) | set(
        re.findall(r'alias="([A-Z0-9_]+)"', source)
    )
    documented = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", (APP / "README.md").read_text()))
    assert len(names) > 15
    assert names <= documented


def test_every_room_is_on_the_map() -> None:
    readme = (APP / "README.md").read_text()
    rooms = {path.parent.name for path in APP.glob("*/__init__.py")}
    assert {room for room in rooms if f"`{room}/`" not in readme} == set()
