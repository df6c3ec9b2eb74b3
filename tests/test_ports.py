import os
import socket
import subprocess
import sys

import pytest

from infra.sources import ROOT
from tests import ports

BESIDE = """
import os, sys
os.getpid = lambda: int(sys.argv[1])
from tests.ports import free_ports
print(free_ports(3)[0], flush=True)
"""


def test_ports_follow_each_other_below_the_systems_own_and_are_given_once() -> None:
    first, second = ports.free_ports(3), ports.free_ports(3)
    for given in (first, second):
        assert given == list(range(given[0], given[0] + 3))
        assert ports.LOWEST < given[0] < given[-1] < ports.HIGHEST + ports.BLOCK < 32_768
    assert {*first}.isdisjoint(second)
    for port in (*first, *second):
        with socket.socket() as listener:
            listener.bind((ports.LOOPBACK, port))


def test_a_process_that_draws_in_the_same_order_gets_others() -> None:
    given = ports.free_ports(3)
    beside = subprocess.run(
        [sys.executable, "-c", BESIDE, str(os.getpid())], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert int(beside.stdout) not in given


def test_a_block_with_a_port_in_use_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def all_but_the_first(port: int) -> bool:
        asked.append(port)
        return len(asked) > 1

    monkeypatch.setattr(ports, "_is_free", all_but_the_first)
    assert ports.free_ports(1) == asked[1:]


@pytest.mark.parametrize("count", [0, ports.BLOCK])
def test_more_than_a_block_has_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match=f"^{count} ports"):
        ports.free_ports(count)
