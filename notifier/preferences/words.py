"""People's choices, in sentences. Called by ``pages``, ``unsubscribing`` and the admin."""

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from ..channels import registry
from ..templating.times import local


def by_channel(channel):
    """“by e-mail”, or “in any way” for none in particular."""
    return registry.way(channel) if channel else _("in any way")


def of_what(category):
    """““Offers””, or what stands for all categories together."""
    return f"“{category.title}”" if category else _("anything but what is always on")


def describe_choice(row):
    """An opt-out as a sentence: “No “Offers” by e-mail.”"""
    if row.category is None:
        return _("Nothing %s but what is always on.") % (
            registry.way(row.channel) if row.channel else _("at all")
        )
    return _("No “%(what)s” %(by)s.") % {"what": row.category.title, "by": by_channel(row.channel)}


def describe_origin(row):
    """“Since 3 May 2026, by the mail program’s button.”"""
    since = _("Since %s") % date_format(local(row.created_at), "j M Y")
    return (
        _("%(since)s, by %(source)s.") % {"since": since, "source": row.get_source_display()}
        if row.source
        else f"{since}."
    )


def describe_wishes(wish):
    """The contents of a row of Preferences, as texts; none where it holds nothing."""
    found = []
    if wish.quiet_from and wish.quiet_until:
        hours = {"start": f"{wish.quiet_from:%H:%M}", "end": f"{wish.quiet_until:%H:%M}"}
        found.append(_("Quiet hours from %(start)s until %(end)s.") % hours)
    if wish.time_zone:
        found.append(_("Time zone: %s.") % wish.time_zone)
    if wish.language:
        found.append(_("Language: %s.") % wish.language)
    if wish.digest:
        found.append(_("Collected and sent %s.") % wish.get_digest_display())
    return found
