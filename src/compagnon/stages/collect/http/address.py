"""Which addresses may be reached: a name that leads inside must not open what only this machine or network can see."""

from __future__ import annotations

import ipaddress

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_private(text: str) -> bool:
    """Whether an address (as a resolver gives it) is of this machine, a private network or no public one at all."""
    return any(not address.is_global or address.is_multicast for address in _meant(text))


def is_never(text: str) -> bool:
    """Whether no solution may declare it: link-local (where clouds answer with credentials), multicast, unspecified."""
    return any(
        address.is_link_local or address.is_multicast or address.is_unspecified or str(address) == "fd00:ec2::254"
        for address in _meant(text)
    )


def _meant(text: str) -> list[_Address]:
    """The address, and the IPv4 address that an IPv6 one may carry."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    inside = address.sixtofour or (address.teredo[1] if address.teredo else None)
    if address in _NAT64:
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    return [address, inside] if inside is not None else [address]
