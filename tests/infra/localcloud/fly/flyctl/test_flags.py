"""Flags parse as Go's pflag parses them."""

import io
import json
from pathlib import Path

import pytest

from infra.localcloud.fly.flyctl import flags as flags_module
from infra.localcloud.fly.flyctl.flags import FlagError, Values, flags_of, parse
from infra.localcloud.fly.flyctl.main import ALIASES, COMMANDS, main
from infra.localcloud.fly.flyctl.missing import MISSING


def deploy(*argv: str) -> tuple[Values, list[str]]:
    return parse(argv, flags_of(("deploy",)))


def test_values_may_follow_or_be_attached_and_arguments_may_come_anywhere() -> None:
    values, arguments = deploy("-a", "one", "dir", "--config=fly.toml", "--strategy", "canary", "-abetter")
    assert arguments == ["dir"]
    assert (values.text("--app"), values.text("--config"), values.text("--strategy")) == (
        "better",
        "fly.toml",
        "canary",
    )


def test_a_boolean_never_takes_the_next_word() -> None:
    values, arguments = deploy("--yes", "dir", "--ha=false", "--dns-checks=0")
    assert arguments == ["dir"]
    assert (values.on("--yes"), values.on("--ha"), values.on("--dns-checks")) == (True, False, False)


def test_defaults_are_those_of_the_real_flyctl() -> None:
    values, _ = deploy()
    assert (values.on("--ha"), values.on("--smoke-checks"), values.on("--detach")) == (True, True, False)
    assert values.text("--wait-timeout") == "5m0s"


def test_repeated_flags_collect() -> None:
    values, _ = deploy("--env", "A=1,2", "-e", "B=3", "--regions", "lax,ord")
    assert values.texts("--env") == ["A=1,2", "B=3"]
    assert values.texts("--regions") == ["lax", "ord"]


def test_a_flag_with_a_bare_value_does_not_take_the_next_word() -> None:
    values, arguments = deploy("--depot", "dir")
    assert (values.text("--depot"), arguments) == ("true", ["dir"])


def test_everything_after_two_dashes_is_an_argument() -> None:
    assert deploy("--", "--yes", "x")[1] == ["--yes", "x"]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--nope"], "unknown flag: --nope"),
        (["-z"], "unknown shorthand flag: 'z' in -z"),
        (["--app"], "flag needs an argument: --app"),
        (
            ["--ha=maybe"],
            'invalid argument "maybe" for "--ha" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
        ),
        (
            ["--vm-cpus", "two"],
            'invalid argument "two" for "--vm-cpus" flag: strconv.ParseInt: parsing "two": invalid syntax',
        ),
    ],
)
def test_mistakes_are_named_as_pflag_names_them(argv: list[str], message: str) -> None:
    with pytest.raises(FlagError) as caught:
        deploy(*argv)
    assert str(caught.value) == message
    assert "--strategy string" in caught.value.known


def test_a_flag_that_would_be_ignored_is_refused() -> None:
    out, err = io.StringIO(), io.StringIO()
    argv = ["scale", "count", "2", "--region", "ord", "--yes", "-a", "x"]
    status = main(argv, env={}, stdin=io.StringIO(), stdout=out, stderr=err)
    assert (status, err.getvalue()) == (1, "Error: the loopback flyctl scale count does not have --region\n")


def test_what_is_missing_is_a_flag_of_its_command() -> None:
    for command, names in MISSING.items():
        assert names <= {flag.name for flag in flags_of(command)}, command


def test_every_command_of_the_recorded_help_is_here() -> None:
    recorded = json.loads(Path(flags_module.__file__).with_name("flags.json").read_text())["commands"]
    assert {tuple(name.split()) for name in recorded} <= COMMANDS.keys()


def test_every_command_and_alias_has_flags() -> None:
    for command in [*COMMANDS, *ALIASES.values()]:
        assert "--help" in [flag.name for flag in flags_of(command)]
