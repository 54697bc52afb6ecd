"""The kept counts of one trigger as a table on its page: each subscription and channel, of late and ever."""

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from ...channels import registry
from ...operations import counts, rule_counts
from ..overview.chart import grouped


def counted_table(trigger):
    """The table as HTML, or blank where nothing was counted yet. One query."""
    found = rule_counts.of_trigger(trigger.pk)
    names = {each.pk: str(each.template) for each in trigger.subscriptions.all()}
    rows = [
        (names.get(key) or _("Subscription %d, deleted since") % key, registry.label(channel), _cells(each))
        for (key, channel), each in sorted(found.items())
    ]
    return render_to_string("admin/notifier/trigger/counts.html", {"rows": rows}) if rows else ""


def _cells(periods):
    """A list of (kind, number as text) for each period."""
    return [[(kind, grouped(done[kind])) for kind in counts.KINDS if done[kind]] for done in periods.values()]
