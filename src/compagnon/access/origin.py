"""Where a request comes from, as far as it is kept: browser family, system, truncated address."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

_BROWSERS = (  # the first that fits: most browsers name others too
    ("Edge", r"Edg(?:e|A|iOS)?/"),
    ("Opera", r"OPR/|Opera"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Chrome", r"Chrome/|CriOS/|Chromium/"),
    ("Safari", r"Safari/"),
)
_SYSTEMS = (
    ("Android", r"Android"),
    ("iOS", r"iPhone|iPad|iPod"),
    ("Windows", r"Windows"),
    ("macOS", r"Macintosh|Mac OS X"),
    ("ChromeOS", r"CrOS"),
    ("Linux", r"Linux|X11"),
)
_LONGEST_AGENT = 512


@dataclass(frozen=True)
class Origin:
    """Address and User-Agent header of a request; not printed, so that they do not slip into a log."""

    address: str = field(default="", repr=False)
    agent: str = field(default="", repr=False)

    @property
    def network(self) -> str:
        """The address truncated to its network: /24 for IPv4, /48 for IPv6, empty for what is no address."""
        return _network(self.address, 24, 48)

    @property
    def source(self) -> str:
        """What counts as one source when attempts are counted: an IPv4 address, or an IPv6 /64 (one subscriber)."""
        return _network(self.address, 32, 64)

    @property
    def browser(self) -> str:
        """Browser family and system, as ``Firefox · Linux``; empty when neither is known."""
        agent = self.agent[:_LONGEST_AGENT]
        found = [
            next((name for name, form in names if re.search(form, agent)), None) for names in (_BROWSERS, _SYSTEMS)
        ]
        return " · ".join(name for name in found if name)


def _network(address: str, bits4: int, bits6: int) -> str:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    bits = bits4 if found.version == 4 else bits6
    return str(ipaddress.ip_network((found, bits), strict=False))
