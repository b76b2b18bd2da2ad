"""How figures are written: money, tokens, times. In every template, as the settings name this library a built-in."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

register = template.Library()
UNKNOWN = "–"


@register.filter
def money(value: Decimal | float | None) -> str:
    """US dollars: two places, more where the amount is small; a price that is not known is never 0."""
    if value is None:
        return UNKNOWN
    amount = Decimal(value)
    size = abs(amount)
    places = 2 if size >= Decimal("0.1") or not size else 4 if size >= Decimal("0.001") else 6
    return f"{'-' if amount < 0 else ''}${size:,.{places}f}"


@register.filter
def rate(value: Decimal | None) -> str:
    """A price, to its last digit."""
    if value is None:
        return UNKNOWN
    return f"${value:,.2f}" if value == round(value, 2) else f"${value.normalize():,f}"


@register.filter
def count(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


@register.filter
def tokens(value: int | float | None) -> SafeString | str:
    """12,345,678 as 12.3M, with the exact number at hand."""
    if value is None:
        return UNKNOWN
    return (
        format_html('<span title="{}">{}</span>', f"{value:,.0f}", short(value)) if value >= 10_000 else f"{value:,.0f}"
    )


@register.filter
def short(value: int | float) -> str:
    """Three significant figures and a letter."""
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size * 0.9995:
            scaled = value / size
            return f"{scaled:.{0 if scaled >= 99.95 else 1 if scaled >= 9.995 else 2}f}{letter}"
    return f"{value:,.0f}"


@register.filter
def duration(milliseconds: float | None) -> str:
    if milliseconds is None:
        return UNKNOWN
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f} s"
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    return f"{minutes} min {seconds:02d} s"


@register.filter
def percent(fraction: float | None) -> str:
    if fraction is None:
        return UNKNOWN
    return f"{fraction * 100:.{0 if abs(fraction) >= 0.0995 else 1}f}%"


@register.filter
def signed(fraction: float | None) -> str:
    """A change, with its sign."""
    if fraction is None:
        return UNKNOWN
    return f"{'+' if fraction > 0 else ''}{percent(fraction)}"


@register.filter
def size(value: float) -> float:
    return abs(value)


@register.filter
def beside(value: Decimal | None, other: Decimal) -> str:
    """How ``value`` differs from ``other``: +25%."""
    return UNKNOWN if value is None or not other else signed(float((value - other) / other))


@register.filter
def when(moment: datetime | None) -> SafeString | str:
    """A moment in the viewer's time zone, as precise as its distance from now asks for."""
    if moment is None:
        return UNKNOWN
    local = timezone.localtime(moment)
    today = timezone.localdate()
    if local.date() == today:
        shown = f"{local:%H:%M}"
    elif local.year == today.year:
        shown = f"{date_format(local, 'j M')}, {local:%H:%M}"
    else:
        shown = date_format(local, "j M Y")
    return _time(local, shown)


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    if moment is None:
        return "never"
    local = timezone.localtime(moment)
    if (timezone.now() - moment).total_seconds() < 60:
        return _time(local, "just now")
    return _time(local, f"{timesince(moment, depth=1)} ago")


@register.filter
def until(moment: datetime | None) -> SafeString | str:
    """``in 3 days``, for a moment to come."""
    if moment is None:
        return UNKNOWN
    return _time(timezone.localtime(moment), f"in {timesince(timezone.now(), now=moment, depth=1)}")


def _time(local: datetime, shown: str) -> SafeString:
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        f"{local:%Y-%m-%d %H:%M:%S %Z}",
        shown,
    )
