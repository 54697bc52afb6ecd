"""An audience in words: in a rule's sentence, while it is being set up, and where people were looked for.

Called by ``summaries``, “Why?” and the admin's pages.
"""

from django.utils.translation import gettext as _, ngettext

from ..rules import audiences

# People who are named one by one.
MOST_NAMED = 3


def describe_audience(audience):
    """The people of a saved audience, in words.

    Chosen people and plain addresses are not listed, only what they are kept as.
    """
    found = _describe_groups(audience, audience.groups.all())
    if audience.addresses.strip() or _names_users(audience):
        found.append(_("those in “%s”") % audience.name)
    return all_of(found) if found else _("nobody (“%s” is empty)") % audience.name


def describe_unsaved(audience, groups, people):
    """The people of an audience that is not saved yet, with the ``groups`` and ``people`` that it will
    have.
    """
    found = _describe_groups(audience, groups)
    found += (
        [_("%d chosen people") % len(people)] if len(people) > MOST_NAMED else [str(each) for each in people]
    )
    found += [line.partition(":")[2].strip() or line for line in audiences.lines_of(audience.addresses)]
    return all_of(found)


def _describe_groups(audience, groups):
    """The people of an audience, without naming anybody."""
    found = [_("all active users")] if audience.everyone else []
    found += [_("the group %s") % group.name for group in groups]
    found += [describe_path(line) for line in audiences.lines_of(audience.paths)]
    return found + [_("whom “%s” finds") % name for name in audience.callables]


def describe_sources(sources):
    """The places where people were looked for in Audience rows: “all active users, the group “Staff””; plain
    addresses only by their number. Nothing for none.
    """
    found = []
    for audience in sources:
        found += [_("all active users")] if audience.everyone else []
        found += [_("the group “%s”") % group for group in audience.groups.all()]
        found += [_("users chosen by name")] if audience.users.exists() else []
        found += [_("whom %s named") % path for _channel, path in audiences.read_lines(audience, "paths")]
        found += [_("the function “%s”") % name for name in audience.callables]
        number = len(audiences.lines_of(audience.addresses))
        found += [ngettext("%d plain address", "%d plain addresses", number) % number] if number else []
    return ", ".join(dict.fromkeys(found))


def describe_path(line):
    """“its owner” for ``instance.owner``, “the movie’s audiences” for ``movie.audiences``."""
    root, *names = line.rpartition(":")[2].strip().split(".")
    words = [name.replace("_", " ") for name in names]
    if root in ("instance", "action_object") and words:
        return _("its %s") % _("’s ").join(words)
    return _("’s ").join([_("the %s") % root.replace("_", " "), *words])


def all_of(words):
    """“a, b and c”, or nothing for none."""
    *others, last = [*words] or [""]
    return _(" and ").join([", ".join(others), last] if others else [last])


def _names_users(audience):
    known = getattr(audience, "names_users", None)
    return audience.users.exists() if known is None else known
