"""Asks once more before a rule reaches many people, and shows what a trigger in shadow would send.

Calls ``explaining.estimate``.

Note [asking]: the rule is saved, looked at as it would be, and rolled back where somebody must be asked. So
there is no second reading of the form, and no list of what counts as a change: what it sends now is compared
with what it sent before.
"""

from django.core import signing
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _, ngettext

from .. import conf
from ..explaining import estimate, firing_cost
from ..gates.pauses import scope_of
from ..models import Pause
from ..rules.inner_signals import is_inner

SALT = "notifier.going_live"
# Somebody who goes to lunch over the question is asked again.
TOKEN_SECONDS = 3600
# The audience may grow a little between the question and the answer.
GROWTH = 1.1
ANSWER = "go_live"


class AskFirst(Exception):
    """This would reach more people than may be reached without being asked, or costs something all the time.

    It undoes the save that it is raised in. ``what`` is the rule that a person says yes to.
    """

    def __init__(self, title, lines, what):
        super().__init__(title)
        self.title, self.lines, self.what = title, lines, what


def ask_first(request, trigger, before, fired=""):
    """Raise AskFirst where ``trigger``, as it has just been saved, sends to many what it did not send
    ``before``, or is switched on for a signal that fires all the time.

    For the end of the transaction that saves it. ``before`` is what ``explaining.estimate.sends(trigger)``
    was; an empty set for a new one. ``fired``: what ``inner_signal_of(trigger)`` was.
    """
    now = estimate.sends(trigger)
    people, at_least = estimate.people_reached(trigger) if now - before else (0, False)
    is_many = people > conf.get("CONFIRM_ABOVE")
    inner = inner_signal_of(trigger)
    if not is_many and inner in ("", fired):
        return
    what = _what(request, trigger, people if is_many else 0, now, inner)
    if _is_confirmed(request, what):
        return
    title = _how_many(trigger, people, at_least) if is_many else _("“%s” will cost something.") % trigger.name
    costs = [firing_cost.describe(inner)] if inner not in ("", fired) else []
    costs += [AS_BULK] if is_many else []
    # Now, while the rule is as it would be.
    raise AskFirst(title, [*costs, *look_ahead(trigger)], what)


def inner_signal_of(trigger):
    """The signal of Django's inner workings that it fires at, or blank: it is off, or has another."""
    return trigger.verb if trigger and trigger.enabled and is_inner(trigger.verb) else ""


def _how_many(trigger, people, at_least):
    text = (
        _("One event of “%(trigger)s” goes to at least %(people)s people.")
        if at_least
        else _("One event of “%(trigger)s” goes to %(people)s people.")
    )
    return text % {"trigger": trigger.name, "people": f"{people:,}"}


def _is_confirmed(request, what):
    try:
        token = signing.loads(request.POST.get(ANSWER, ""), salt=SALT, max_age=TOKEN_SECONDS)
    except signing.BadSignature:
        return False
    return token | {"people": 0} == what | {"people": 0} and what["people"] <= token.get("people", 0) * GROWTH


def _what(request, trigger, people, sends, inner):
    """The rule that a person says yes to. A new trigger has another key at each try, but its name."""
    return {
        "user": str(request.user.pk),
        "name": trigger.name,
        "people": people,
        "sends": sorted(map(list, sends)),
    } | ({"inner": inner} if inner else {})


def confirmation(admin, request, error, *, change=""):
    """The page that asks. It sends the same form again, with a signed token of what was asked.

    ``change``: the name of the button that sends it without, for a page that shows again what was typed.
    """
    again = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name not in (ANSWER, change, "csrfmiddlewaretoken")
    ]
    context = admin.admin_site.each_context(request) | {
        "title": error.title,
        "opts": admin.opts,
        "media": admin.media,
        "notes": [_("Nothing is saved yet. Shall it go live?"), *error.lines],
        "again": again,
        "token_name": ANSWER,
        "token": signing.dumps(error.what, salt=SALT),
        "yes": _("Save, and go live"),
        "back": request.get_full_path(),
        "change": change,
    }
    return TemplateResponse(request, "admin/notifier/ask.html", context)


def look_ahead(trigger):
    """Sentences about what a saved trigger would have sent of late."""
    return describe(estimate.estimate(trigger)) if estimate.is_known(trigger) else [SHADOW_FIRST]


AS_BULK = _("So many go as bulk, by itself: all others go before them, however long it takes.")
SHADOW_FIRST = _(
    "Nothing was recorded for it yet. In shadow mode it records and explains what it would "
    "send, and sends nothing."
)


def describe(found):
    """An Estimate in sentences."""
    if not found.events:
        return [_("In the last 7 days nothing happened that it would have sent.")]
    events = ngettext("%s event", "%s events", found.events) % f"{found.events:,}"
    if not any(each.messages for each in found.channels.values()):
        return [_("In the last 7 days there were %s, and nobody whom it would have reached.") % events]
    parts = [_describe_channel(name, each) for name, each in sorted(found.channels.items())]
    cost = [_("about $%s") % f"{found.cost_micros / 1_000_000:,.2f}"] if found.cost_micros >= 5_000 else []
    about = "" if found.is_exact else _("about ")
    lines = [
        _("In the last 7 days this would have sent %s%s.") % (about, ", ".join(map(str, [*parts, *cost])))
    ]
    lines.append(_("That is for %s, with the audiences and templates of now.") % events)
    if found.more_events:
        lines.append(_("There were more events than are counted here."))
    return lines


def _describe_channel(name, each):
    text = _("%(number)s by %(channel)s") % {"number": f"{round(each.messages):,}", "channel": name}
    pieces = round(each.pieces)
    return _("%s (%s parts)") % (text, f"{pieces:,}") if pieces > round(each.messages) else text


class GoingLive:
    """For TriggerAdmin: the question before many people, and the estimate while in shadow."""

    change_form_outer_before_template = "admin/notifier/trigger/ahead.html"

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        if request.method != "POST":
            return super().changeform_view(
                request, object_id, form_url, {**(extra_context or {}), **self._ahead(request, object_id)}
            )
        trigger = self.get_object(request, object_id) if object_id else None
        request.notifier_sends = estimate.sends(trigger) if trigger else frozenset()
        request.notifier_fired = inner_signal_of(trigger)
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except AskFirst as error:
            return confirmation(self, request, error)

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        ask_first(request, form.instance, request.notifier_sends, request.notifier_fired)

    def _ahead(self, request, object_id):
        trigger = self.get_object(request, object_id) if object_id else None
        if trigger is None:
            return {}
        scope = scope_of(trigger=trigger.pk)
        ahead = {
            "is_shadow": trigger.shadow,
            "scope": scope,
            "is_paused": Pause.objects.filter(scope=scope).exists(),
        }
        if trigger.shadow:
            ahead["lines"] = look_ahead(trigger)
        return {"ahead": ahead}
