"""Problems that need a person, in plain words, the worst first, each with where to go. Called by ``page``."""

import datetime as dt
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.http import urlencode
from django.utils.timesince import timesince
from django.utils.timezone import localtime
from django.utils.translation import gettext as _, ngettext

from ...channels import registry
from ...explaining.wording import spelled
from ...gates.budgets import NEARLY
from ...gates.pauses import BUDGET, Scopes
from ...models import Delivery, Pause, Trigger
from ...operations import gauges
from ...operations.backlog import MOST_GROUPED
from . import closed

# The sweep comes every minute; a few may be missed.
COUNTS_ARE_OLD = dt.timedelta(minutes=5)
# Of SES's quota of 24 hours, from which on somebody should know.
QUOTA_NEARLY_USED = 0.8
MOST_LISTED = 12
BAD, DOUBT, QUIET = "bad", "doubt", "quiet"


@dataclass(frozen=True)
class Item:
    """``tone`` is one of BAD, DOUBT and QUIET; ``url`` may be empty."""

    tone: str
    text: str
    url: str = ""


def find(*, counted_at, readings, failures, held, costs, budgets):
    """All Items.

    ``readings`` are the gauges by name, ``failures`` counts ``(status, channel, reason)``, ``held`` is how
    many are.

    ``costs`` is what each channel has cost this month, in millionths of a US dollar.
    """
    found = [
        *_counting(counted_at),
        *_account(readings),
        *_refusals(readings),
        *_dead_letters(readings),
        *_failures(failures),
        *_pauses(held),
        *_closed(),
    ]
    found += _budgets(budgets, costs)
    return sorted(found, key=lambda item: (BAD, DOUBT, QUIET).index(item.tone))


def _counting(counted_at):
    if counted_at and timezone.now() - counted_at > COUNTS_ARE_OLD:
        text = _(
            "The numbers are %s old: the function that sweeps every minute has not run, or "
            "fails. Its log says why."
        )
        yield Item(BAD, text % age(counted_at))


def _account(readings):
    if _value(readings, gauges.SENDING_ENABLED) == 0:
        yield Item(
            BAD, _("Amazon SES has stopped sending for this account. Mail waits until AWS allows it again.")
        )
    bounces = _("%(rate)s of mails bounce. SES reviews an account at %(review)s and may stop it at %(stop)s.")
    complaints = _(
        "%(rate)s of mails draw a complaint. SES reviews an account at %(review)s and may stop "
        "it at %(stop)s."
    )
    rates = [
        (gauges.BOUNCE_RATE, gauges.BOUNCE_LIMITS, bounces),
        (gauges.COMPLAINT_RATE, gauges.COMPLAINT_LIMITS, complaints),
    ]
    for name, (review, stop), text in rates:
        rate = _value(readings, name)
        if rate is not None and rate >= review:
            words = {"rate": percent(rate), "review": percent(review), "stop": percent(stop)}
            yield Item(BAD if rate >= stop else DOUBT, text % words)
    quota, used = _value(readings, gauges.QUOTA), _value(readings, gauges.QUOTA_USED)
    if quota and quota > 0 and used is not None and used / quota >= QUOTA_NEARLY_USED:
        text = _("%(share)s of the mails that SES allows in 24 hours are used. What comes on top waits.")
        yield Item(DOUBT, text % {"share": percent(used / quota)})


def _refusals(readings):
    text = _(
        "The provider of %(channel)s has refused what is ours, %(time)s ago: a limit of our account is "
        "used up. The addresses are good."
    )
    for channel, time in gauges.refusing_accounts(readings).items():
        url = deliveries_url(channel=channel)
        yield Item(BAD, text % {"channel": registry.label(channel), "time": age(time)}, url)


def _dead_letters(readings):
    for name, gauge in sorted(readings.items()):
        if name.startswith(gauges.dead_letters("")) and gauge.value:
            number, route = int(gauge.value), name.removeprefix(gauges.dead_letters(""))
            text = ngettext(
                "%(number)d message of “%(route)s” was given up and lies in its dead-letter "
                "queue. The function's log says why.",
                "%(number)d messages of “%(route)s” were given up and lie in its dead-letter "
                "queue. The function's log says why.",
                number,
            )
            yield Item(BAD, text % {"number": number, "route": route})


def _failures(failures):
    listed = failures.most_common(MOST_LISTED)
    for (status, channel, reason), number in listed:
        many = f"{MOST_GROUPED}+" if number >= MOST_GROUPED else number
        words = {
            "number": many,
            "channel": channel,
            "reason": spelled(reason),
        }
        if status == Delivery.Status.UNKNOWN:
            item = DOUBT, _("%(number)s by %(channel)s may or may not have been sent: %(reason)s") % words
        else:
            item = BAD, _("%(number)s by %(channel)s failed: %(reason)s") % words
        filters = {"status__exact": status, "channel": channel} | ({"reason": reason} if reason else {})
        yield Item(*item, deliveries_url(**filters))
    if len(failures) > len(listed):
        rest = sum(failures.values()) - sum(number for _key, number in listed)
        yield Item(
            BAD, _("%d more, for other reasons") % rest, deliveries_url(status__exact=Delivery.Status.FAILED)
        )


def _budgets(budgets, costs):
    paused = (
        set(Pause.objects.filter(scope__startswith=f"{BUDGET}:").values_list("scope", flat=True))
        if budgets
        else ()
    )
    for budget in budgets:
        spent, url = costs.get(budget.channel, 0), reverse("admin:notifier_budget_change", args=[budget.pk])
        words = {"channel": budget.channel, "budget": dollars(budget.micros), "spent": dollars(spent)}
        if f"{BUDGET}:{budget.channel}" in paused:
            text = _(
                "This month's budget of %(budget)s for %(channel)s is used up: the rest is "
                "held until it is raised."
            )
            yield Item(BAD, text % words, url)
        elif budget.micros and spent >= NEARLY * budget.micros:
            yield Item(
                DOUBT, _("%(spent)s of this month's %(budget)s for %(channel)s are spent.") % words, url
            )


def _pauses(held):
    # What a budget holds is said by itself.
    pauses = list(Pause.objects.exclude(scope__startswith=f"{BUDGET}:"))
    keys = Scopes([pause.scope for pause in pauses]).triggers
    names = {
        f"trigger:{pk}": _("Trigger “%s”") % name
        for pk, name in Trigger.objects.filter(pk__in=keys).values_list("pk", "name")
    }
    for pause in pauses:
        channel = pause.scope.removeprefix("channel:")
        what = names.get(pause.scope) or (
            _("Channel “%s”") % channel if channel != pause.scope else _("Everything")
        )
        words = {"what": what, "time": age(pause.created_at), "by": pause.paused_by or _("somebody")}
        text = _("%(what)s has been paused for %(time)s, by %(by)s.") % words
        yield Item(DOUBT, f"{text} {pause.reason}".strip(), _pauses_url())
    if held:
        text = ngettext("%s delivery is held.", "%s deliveries are held.", held)
        yield Item(QUIET, text % held, deliveries_url(status__exact=Delivery.Status.HELD))


def _closed():
    for rate in closed.described():
        text = _("%(what)s: the provider takes nothing before %(time)s. What waits goes out then.")
        words = {"what": rate.words, "time": date_format(localtime(rate.opens_at), "j M Y, H:i")}
        yield Item(DOUBT, text % words, _pauses_url())


def deliveries_url(**filters):
    """The list of deliveries with these filters on."""
    return f"{reverse('admin:notifier_delivery_changelist')}?{urlencode(filters)}"


def _pauses_url():
    try:
        return reverse("admin:notifier_pause_changelist")
    except NoReverseMatch:
        return ""


def _value(readings, name):
    return readings[name].value if name in readings else None


def age(time):
    """“3 minutes”, or nothing where there is no time."""
    if time is None:
        return ""
    return _("under a minute") if (timezone.now() - time).total_seconds() < 60 else timesince(time, depth=1)


def dollars(micros):
    """About what it cost, in US dollars: Amazon's and X's currency."""
    amount = micros / 1_000_000
    return _("under $0.01") if 0 < amount < 0.01 else f"${number_format(amount, 2, force_grouping=True)}"


def percent(share):
    """“3.1 %”, with as many places as say something."""
    number = 100 * share
    return (
        f"{number:.0f} %"
        if number >= 10 or number == round(number)
        else f"{number:.1f} %"
        if number >= 1
        else f"{number:.2g} %"
    )
