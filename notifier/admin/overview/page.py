"""The overview, one page from kept counts and bounded looks; its numbers lead to the lists behind them."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, path, reverse
from django.utils.translation import gettext_lazy as _

from ...channels import registry
from ...gates import budgets
from ...models import OF_NO_RULE, Budget, Delivery, Overview, Trigger
from ...models.counts import cost_since, counted_at
from ...operations import backlog, gauges, rule_counts
from ...operations.counts import KIND_OF
from ..filters import OPEN
from ..lookups import ModelAdmin
from . import lanes, problems
from .chart import KINDS, RANGES, draw, grouped

# The rules that the page lists; each has all its numbers on its own page.
MOST_RULES = 10


@dataclass(frozen=True)
class ChannelRow:
    """The numbers of one channel, as kind → number, and what it has to do, as a person reads it."""

    name: str
    label: str
    done: dict
    backlog: backlog.Backlog
    waiting: str
    oldest: str
    # Their `number`, and the `age` of that figure.
    dead_letters: dict[str, Any] | None
    cost: str
    budget: str

    @property
    def texts(self):
        return {kind: grouped(number) for kind, number in self.done.items()}


@dataclass(frozen=True)
class Meter:
    """A share against its limits, both as parts of a hundred of the bar's length."""

    label: str
    text: str
    note: str
    tone: str
    filled: float
    marks: tuple
    age: str


@admin.register(Overview)
class OverviewAdmin(ModelAdmin):
    """A page, not a list: it stands in the sidebar by its own name."""

    def get_urls(self):
        return [path("", self.admin_site.admin_view(self.overview_view), name="notifier_overview")]

    def has_module_permission(self, request):
        return False

    def has_view_permission(self, request, obj=None):
        return request.user.has_perm("notifier.view_delivery")

    def overview_view(self, request):
        if not self.has_view_permission(request):
            raise PermissionDenied
        request.current_app = self.admin_site.name
        context = (
            self.admin_site.each_context(request)
            | {"title": _("Overview")}
            | page(RANGES.get(request.GET.get("range"), RANGES["24h"]))
        )
        return TemplateResponse(request, "admin/notifier/overview.html", context)


def page(chosen):
    """The contents of the page for the Range ``chosen``. The number of queries is the same whatever there
    is.
    """
    begins = chosen.begins()
    rows = list(chosen.read(begins))
    done = Counter()
    for _bucket, channel, status, number in rows:
        if status in KIND_OF:
            done[channel, KIND_OF[status]] += number
    names = sorted({*registry.channel_names(), *(channel for channel, _kind in done)})
    readings, waiting, counted_until = gauges.read(), backlog.read(names), counted_at()
    costs = cost_since(budgets.month_begin())
    kept = {budget.channel: budget for budget in Budget.objects.all()}
    listed = [_channel_row(name, done, waiting[name], readings, costs, kept.get(name)) for name in names]
    held = sum(row.backlog.held for row in listed)
    return {
        "ranges": RANGES.values(),
        "chosen": chosen,
        "chart": draw(chosen, begins, rows),
        "tiles": _tiles(done, listed),
        "channels": listed,
        "lanes": lanes.rows(begins[0]),
        "rules": busiest_rules(begins[0]),
        "attention": problems.find(
            counted_at=counted_until, readings=readings, failures=backlog.failures_since(begins[0]),
            held=held, costs=costs, budgets=kept.values(),
        ),
        "total_cost": problems.dollars(sum(costs.values())),
        "meters": list(_meters(readings)),
        "counted": _ago(counted_until),
        "is_empty": not rows and not Delivery.objects.exists(),
        "setup_url": _setup_url(),
    }  # fmt: skip


def _channel_row(name, done, waiting, readings, costs, budget):
    return ChannelRow(
        name=name,
        label=registry.label(name),
        done={kind: done[name, kind] for kind in KINDS},
        backlog=waiting,
        waiting=_at_least(waiting.waiting, waiting.is_bounded),
        oldest=problems.age(waiting.oldest),
        dead_letters=_dead_letters(readings.get(gauges.dead_letters(name))),
        cost=problems.dollars(costs.get(name, 0)),
        budget=problems.dollars(budget.micros) if budget else "",
    )


def _dead_letters(gauge):
    if gauge is None or gauge.value is None:
        return None
    return {"number": int(gauge.value), "age": _ago(gauge.measured_at)}


def busiest_rules(begin):
    """``(name, url or blank, kind → number as text)`` of the MOST_RULES rules that did most since then.

    Two queries.
    """
    done = rule_counts.by("trigger_id", begin)
    done.pop(OF_NO_RULE, None)
    keys = sorted(done, key=lambda key: (-done[key].total(), key))[:MOST_RULES]
    names = dict(Trigger.objects.filter(pk__in=keys).values_list("pk", "name"))
    return [
        (
            names.get(key, _("Trigger %d, deleted since") % key),
            reverse("admin:notifier_trigger_change", args=[key]) if key in names else "",
            {kind: grouped(done[key][kind]) for kind in KINDS},
        )
        for key in keys
    ]


def _tiles(done, listed):
    """``(kind, label, number, url)`` of the large numbers on top."""
    waiting = sum(row.backlog.waiting for row in listed), any(row.backlog.is_bounded for row in listed)
    tiles = [
        (
            kind,
            label,
            grouped(sum(row.done[kind] for row in listed)),
            problems.deliveries_url(status__exact=kind),
        )
        for kind, label in (("sent", _("Sent")), ("failed", _("Failed")), ("skipped", _("Skipped")))
    ]
    return [
        *tiles,
        ("waiting", _("Waiting now"), _at_least(*waiting), problems.deliveries_url(status__exact=OPEN)),
    ]


def _meters(readings):
    rates = [
        (_("Bounces"), gauges.BOUNCE_RATE, gauges.BOUNCE_LIMITS),
        (_("Complaints"), gauges.COMPLAINT_RATE, gauges.COMPLAINT_LIMITS),
    ]
    for label, name, (review, stop) in rates:
        note = _("under review from %(review)s, stopped from %(stop)s") % {
            "review": problems.percent(review),
            "stop": problems.percent(stop),
        }
        # A tenth more than where it ends badly, so that the mark is inside the bar.
        yield _meter(label, readings.get(name), note, full=1.1 * stop, limits=(review, stop))
    quota, used = readings.get(gauges.QUOTA), readings.get(gauges.QUOTA_USED)
    if quota and used and quota.value and quota.value > 0 and used.value is not None:
        note = _("%(used)s of %(quota)s mails in 24 hours") % {
            "used": grouped(used.value),
            "quota": grouped(quota.value),
        }
        used.value /= quota.value
        yield _meter(_("Quota"), used, note, full=1, limits=(problems.QUOTA_NEARLY_USED, 1))
    else:
        yield _meter(_("Quota"), None, "", full=1, limits=(problems.QUOTA_NEARLY_USED, 1))


def _meter(label, gauge, note, *, full, limits):
    marks = tuple(round(100 * limit / full, 1) for limit in limits)
    if gauge is None or gauge.value is None:
        return Meter(label, _("not known"), note, "unknown", 0, marks, "")
    tone = "bad" if gauge.value >= limits[1] else "doubt" if gauge.value >= limits[0] else "good"
    filled = round(min(100, 100 * gauge.value / full), 1)
    return Meter(label, problems.percent(gauge.value), note, tone, filled, marks, _ago(gauge.measured_at))


def _at_least(number, is_bounded):
    return f"{grouped(number)}{'+' * is_bounded}"


def _ago(time):
    return _("%s ago") % problems.age(time) if time else ""


def _setup_url():
    try:
        return reverse("admin:notifier_setup")
    except NoReverseMatch:
        return reverse("admin:notifier_trigger_add")
