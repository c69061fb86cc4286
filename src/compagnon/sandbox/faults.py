"""Faults that the practice API and site commit on demand: an address that begins with ``/faults/NAME`` has it."""

from __future__ import annotations

from dataclasses import dataclass

from compagnon.i18n import N_


@dataclass(frozen=True)
class Fault:
    """``lesson``: what happens, and what a collection makes of it, marked for translation."""

    name: str
    lesson: str


FAULTS = {
    fault.name: fault
    for fault in (
        Fault("down", N_("The server closes the connection without a word: the source is down, instead: is used.")),
        Fault(
            "half", N_("The second page breaks off in the middle: it is asked again, then the source counts as down.")
        ),
        Fault("flaky", N_("Each page fails once (503): the second try succeeds, no row is lost or doubled.")),
        Fault(
            "storm", N_("Each page is refused twice (429, Retry-After): the wait asked for is kept, then rows arrive.")
        ),
        Fault("busy", N_("Every request is refused for an hour (429): too long to wait, the source counts as down.")),
        Fault("expired", N_("The token has expired (401): the message says to renew it.")),
        Fault("drip", N_("Bytes arrive one by one without end: the time of a request is bounded, whatever arrives.")),
        Fault("redirects", N_("The address redirects to itself: the redirects are counted, and the circle is told.")),
        Fault("elsewhere", N_("The address leads to another host: it is not followed, the credentials do not leave.")),
        Fault("bomb", N_("A small compressed answer unpacks to 100 MB: reading stops at the bound.")),
        Fault("schema", N_("From the third page on a column has another name and another type: the page is named.")),
        Fault("circle", N_("A page leads back to the one before: the circle is told.")),
        Fault("latin", N_("Pages are in cp1252 and say nothing of it: the first byte that does not fit is told.")),
        Fault("login", N_("A page that asks to sign in comes in place of the data: it is not taken for data.")),
        Fault("layout", N_("The page has a new layout: nothing can be extracted, and its address is told.")),
    )
}
