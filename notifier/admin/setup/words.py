"""The sentence that the set-up page says while one types, and how many people that is today."""

from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _, gettext_lazy, ngettext

from ...explaining import audience_words, summaries
from ...models import Audience
from ...rules import audiences

# More are not counted: the sentence is said again with every key.
MOST_COUNTED = 100_000
NAMES = {
    "groups": gettext_lazy("Groups"),
    "users": gettext_lazy("Chosen people"),
    "paths": gettext_lazy("Named by it"),
    "addresses": gettext_lazy("Addresses"),
    "callables": gettext_lazy("Worked out"),
}


def sentence(rows):
    whom = _whom(rows)
    if whom and rows.count:
        whom += _(" (%s today)") % people_words(rows.count)
    return summaries.describe_rule(rows.trigger, [(rows.channels, whom)])


def _whom(rows):
    audience = rows.audience
    if audience is None:
        return ""
    if audience.pk:
        return audience_words.describe_audience(audience)
    return audience_words.describe_unsaved(audience, rows.people("groups"), rows.people("users"))


def people_words(count):
    if count > MOST_COUNTED:
        return _("more than %d people") % MOST_COUNTED
    return ngettext("%d person", "%d people", count) % count


def count_people(rows):
    """People and plain addresses, without those that only the event will name; MOST_COUNTED + 1 stands for
    more.
    """
    audience = rows.audience
    if audience is None or audience.callables:
        return 0
    if audience.pk:
        users, addresses = audiences.select_recipients(None, [audience], [])
    else:
        users, addresses = _people(rows), audiences.lines_of(audience.addresses)
    if audiences.has_field(get_user_model(), "is_active"):
        users = users.filter(is_active=True)
    return users.order_by()[: MOST_COUNTED + 1].count() + len(addresses)


def _people(rows):
    users = get_user_model()._default_manager
    if rows.audience.everyone:
        return users.all()
    if groups := rows.people("groups"):
        return users.filter(groups__in=groups).distinct()
    return users.filter(pk__in=[person.pk for person in rows.people("users")])


def plain_everyone():
    """An audience of all active users and nobody else, if there is one: a second would only be one to choose
    from. One that code declares may be others tomorrow.
    """
    found = Audience.objects.filter(
        everyone=True, paths="", addresses="", callables=[], users=None, groups=None, declared=""
    )
    return found.first()
