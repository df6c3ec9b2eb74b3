"""The committed pictures are what the plans say; the command line writes them."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from infra.cost import monthly_cost
from infra.fly_config import COMMITTED_STACKS
from infra.picture.__main__ import committed, main
from infra.picture.draw import picture
from infra.picture.plan import plan


@pytest.mark.parametrize("stack", COMMITTED_STACKS)
def test_the_committed_picture_is_what_the_plan_says(stack: str) -> None:
    assert committed(stack).read_text() == picture(stack), "meant? then run `make picture`"


@pytest.mark.parametrize("stack", COMMITTED_STACKS)
def test_it_is_one_well_formed_svg_that_loads_nothing(stack: str) -> None:
    root = ElementTree.fromstring(committed(stack).read_text())
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    tags = {each.tag.rpartition("}")[2] for each in root.iter()}
    assert tags <= {"svg", "title", "g", "path", "polygon", "text"}


def test_addresses_and_cost_stand_at_the_top() -> None:
    root = ElementTree.fromstring(picture("production"))
    said = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"https://app.reelballers.com", "https://api.reelballers.com", "Reel Ballers: the stack production"} <= {
        *said
    }
    assert f"{monthly_cost(plan('production').config):.2f} USD in a month of 30 days, by estimate" in said


def test_the_command_writes_where_it_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "stack.svg"
    assert main(["--stack", "staging", "-o", str(target)]) == 0
    assert target.read_text() == committed("staging").read_text()
    assert capsys.readouterr().out.strip() == str(target)


def test_a_stack_without_a_file_is_an_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["--stack", "nowhere", "-o", str(tmp_path / "x.svg")]) == 1
    assert "no picture of nowhere" in capsys.readouterr().err
    assert not (tmp_path / "x.svg").exists()


def test_one_file_for_two_pictures_is_refused() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["-o", "x.svg"])
    assert ended.value.code == 2
