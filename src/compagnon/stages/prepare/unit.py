"""Units: a conversion as two constants, so that it runs in SQL."""

from __future__ import annotations

import functools
from typing import Any

from compagnon.errors import UserError
from compagnon.i18n import _


@functools.cache
def conversion(given: str | None, wanted: str | None) -> tuple[float, float] | None:
    """(factor, offset) such that wanted = given x factor + offset; None when nothing is to be done.

    Raises UserError ``prepare.unit`` for units that are not known or do not measure the same thing.
    """
    if given is None or wanted is None or given == wanted:
        return None
    import pint

    registry: Any = pint.UnitRegistry()
    try:
        zero, one = (float(registry.Quantity(n, given).to(wanted).magnitude) for n in (0.0, 1.0))
        hundred = float(registry.Quantity(100.0, given).to(wanted).magnitude)
    except (pint.errors.PintError, AttributeError, ValueError, TypeError, AssertionError) as error:
        raise UserError(
            "prepare.unit",
            _("Values in {given} cannot be brought to {wanted}: {why}").format(
                given=given, wanted=wanted, why=str(error).partition("\n")[0]
            ),
            next=_("Write units as pint names them (km, mile, degC, kWh), or leave the unit out."),
        ) from error
    if abs((hundred - zero) - 100 * (one - zero)) > 1e-9 * max(1.0, abs(hundred)):
        raise UserError(
            "prepare.unit", _("From {given} to {wanted} is not a straight line.").format(given=given, wanted=wanted)
        )
    # With an offset, one - zero loses digits; a hundred loses fewer.
    return ((one if zero == 0 else round((hundred - zero) / 100, 12)), zero)
