"""What a Dockerfile means."""

import pytest

from infra.localcloud.fly.errors import InvalidError
from infra.localcloud.fly.images.recipe import Copy, Recipe, read_recipe


def read(text: str, target: str = "", **arguments: str) -> Recipe:
    return read_recipe(f'FROM python:3.11-slim\n{text}\nCMD ["run"]\n', arguments, target)


def test_environment_folder_and_command() -> None:
    recipe = read('ENV A=1 B="two words"\nENV C three\nWORKDIR /srv\nWORKDIR app\nENTRYPOINT ["python", "-m"]')
    assert recipe.environment == {"A": "1", "B": "two words", "C": "three"}
    assert recipe.folder == "/srv/app"
    assert recipe.argv == ("python", "-m", "run")


def test_a_new_entrypoint_forgets_the_command_before_it() -> None:
    assert read_recipe('FROM a\nCMD ["x"]\nENTRYPOINT ["y"]', {}).argv == ("y",)


def test_the_shell_form_runs_in_a_shell() -> None:
    assert read_recipe("FROM a\nCMD exec python -m app", {}).argv == ("/bin/sh", "-c", "exec python -m app")


@pytest.mark.parametrize(
    ("line", "copy"),
    [
        ("COPY app app", Copy(("app",), "/srv/app")),
        ("COPY app/ ./app/", Copy(("app",), "/srv/app/")),
        ("COPY . .", Copy((".",), "/srv/")),
        ("COPY a b /etc", Copy(("a", "b"), "/etc/")),
        ("COPY --chown=1:1 --link a /x", Copy(("a",), "/x")),
        ('COPY ["a b", "/x/"]', Copy(("a b",), "/x/")),
        ("ADD $DIR /x", Copy(("from-arg",), "/x")),
    ],
)
def test_copies(line: str, copy: Copy) -> None:
    assert read(f"WORKDIR /srv\nARG DIR=from-arg\n{line}").copies == (copy,)


def test_build_arguments_win_over_defaults_and_reach_the_environment() -> None:
    assert read("ARG SHA=none\nENV SHA=$SHA", SHA="abc").environment == {"SHA": "abc"}
    assert read("ARG SHA=none\nENV SHA=${SHA}").environment == {"SHA": "none"}
    assert read("ENV SHA=$SHA", SHA="never declared").environment == {"SHA": ""}


def test_variables_with_defaults_and_escapes() -> None:
    recipe = read("ENV A=1\nENV B=${A:-x} C=${NO:-d} D=${A:+set} E=${NO:+set} F=\\$A")
    assert {name: recipe.environment[name] for name in "BCDEF"} == {"B": "1", "C": "d", "D": "set", "E": "", "F": "$A"}


def test_what_is_not_carried_out_is_listed() -> None:
    recipe = read("RUN apt-get update \\\n  && apt-get install x\nCOPY --from=builder /a /b\nEXPOSE 8080")
    assert recipe.skipped == ("RUN apt-get update && apt-get install x", "COPY --from=builder /a /b", "EXPOSE 8080")
    assert recipe.copies == ()


def test_comments_and_here_documents_are_no_instructions() -> None:
    recipe = read("# a comment\nRUN <<EOF\nCOPY not an instruction\nEOF\n\nENV A=1 \\\n  # between\n  B=2")
    assert recipe.environment == {"A": "1", "B": "2"}
    assert recipe.copies == ()


def test_the_last_stage_counts_and_may_start_from_an_earlier_one() -> None:
    text = 'FROM a AS base\nENV A=1\nFROM b AS other\nENV B=1\nFROM base\nENV C=1\nCMD ["x"]'
    assert read_recipe(text, {}).environment == {"A": "1", "C": "1"}


def test_a_target_stage_can_be_chosen() -> None:
    text = 'FROM a AS first\nCMD ["x"]\nFROM a AS second\nCMD ["y"]'
    assert read_recipe(text, {}, "first").argv == ("x",)
    with pytest.raises(InvalidError, match="third"):
        read_recipe(text, {}, "third")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("FROM a\nCOYP a b", "unknown instruction: COYP"),
        ("FROM a\nCOPY a", "requires at least two arguments"),
        ("ENV A=1", "no FROM"),
        ("FROM a\nENV A=1", "neither CMD nor ENTRYPOINT"),
        ("FROM a\nENV A=1 B\nCMD x", "can't find = in ENV"),
    ],
)
def test_refuses_what_docker_refuses(text: str, reason: str) -> None:
    with pytest.raises(InvalidError, match=reason):
        read_recipe(text, {})
