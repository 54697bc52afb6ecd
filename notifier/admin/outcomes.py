"""What is shown of a delivery wherever it stands: who, why, for how much. Next hop: ``deliveries`` and ``timeline``."""

from django.contrib.auth import get_user_model
from django.utils.html import format_html
from django.utils.text import capfirst

from ..explaining.wording import words_of
from . import display, masking


def with_names(rows):
    """``rows`` with the user name of each that has one, by one query."""
    users = get_user_model()
    keys = [row.recipient.removeprefix("user:") for row in rows if row.recipient.startswith("user:")]
    found = users._default_manager.filter(pk__in=keys).values_list("pk", users.USERNAME_FIELD) if keys else ()
    names = {f"user:{pk}": name for pk, name in found}
    for row in rows:
        row.username = names.get(row.recipient)
    return rows


def recipient_shown(delivery, may_see):
    """Who it is for, in one line of a list; without the permission, only enough to tell rows apart."""
    if not may_see:
        return display.quiet(masking.masked(delivery.address) or masking.HIDDEN)
    return delivery.address or delivery.username or delivery.recipient


def reason_in_words(row):
    """Why a delivery or an attempt ended so, with the code that people filter by; nothing where nothing was wrong."""
    return format_html("{} {}", capfirst(words_of(row)), display.quiet(row.reason)) if row.reason else ""


def cost(micros):
    """“$0.0075” of millionths of a US dollar; a dash for nothing."""
    return f"${micros / 1_000_000:.6f}".rstrip("0").ljust(5, "0") if micros else display.NOTHING
