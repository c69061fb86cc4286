"""Addresses inside are recognized in whatever form they come."""

from __future__ import annotations

import pytest

from compagnon.stages.collect.http.address import is_never, is_private


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1", "127.8.9.10", "10.0.0.1", "172.16.3.4", "192.168.1.1", "100.64.0.1", "0.0.0.0", "169.254.169.254",
        "::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.1.2.3", "64:ff9b::7f00:1", "2002:7f00:1::",
        "224.0.0.1", "ff02::1", "255.255.255.255", "198.18.0.1", "fd00:ec2::254",
    ],
)  # fmt: skip
def test_private(text: str) -> None:
    assert is_private(text)


@pytest.mark.parametrize("text", ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public(text: str) -> None:
    assert not is_private(text)
    assert not is_never(text)


@pytest.mark.parametrize("text", ["169.254.169.254", "fe80::1", "fd00:ec2::254", "::ffff:169.254.169.254", "0.0.0.0"])
def test_what_no_solution_may_declare(text: str) -> None:
    assert is_never(text)


def test_what_a_solution_may_declare() -> None:
    assert not is_never("127.0.0.1")
    assert not is_never("192.168.1.1")
