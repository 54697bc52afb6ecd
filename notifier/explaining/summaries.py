"""Rules in plain language: when, by which channels, for which people. Called by the admin's pages."""

import re

from django.db.models import Exists, OuterRef, Prefetch
from django.utils.text import capfirst
from django.utils.translation import gettext as _, gettext_lazy

from ..channels import registry
from ..exceptions import ConditionRefused
from ..models import Audience, Lane
from ..rules import conditions, durations, inner_signals, roots, signals
from ..templating import digest_data, readable
from ..templating.compiler import path_names
from . import condition_words
from .audience_words import all_of, describe_audience

# What becomes of the object, by signal; for a save, by when it counts.
SAVED = {
    "any": gettext_lazy("is created or changed"),
    "created": gettext_lazy("is created"),
    "updated": gettext_lazy("is changed"),
}
OBJECT = {
    "pre_save": gettext_lazy("is about to be saved"),
    "post_delete": gettext_lazy("is deleted"),
    "pre_delete": gettext_lazy("is about to be deleted"),
    "m2m_changed": gettext_lazy("is linked to something else"),
}
PEOPLE = {
    "user_logged_in": gettext_lazy("somebody signs in"),
    "user_logged_out": gettext_lazy("somebody signs out"),
    "user_login_failed": gettext_lazy("somebody fails to sign in"),
    "got_request_exception": gettext_lazy("a request fails"),
}

LANES = {
    Lane.URGENT: gettext_lazy(" It is urgent, and goes before all others."),
    Lane.BULK: gettext_lazy(" It is bulk: all others go before it."),
}

# As it is heard: an order, an update, a user, a unit, a European order.
VOWEL = re.compile(r"[aio]|e(?!u)|u(?!s|ni|t)", re.IGNORECASE)


def describe_rule(trigger, sendings):
    """“When a Flash sale is created, e-mail and text all active users.”

    ``sendings``: (channels, people in words) for each subscription.
    """
    done = [f"{_channels(names)} {whom or _('nobody yet')}" for names, whom in sendings if names]
    what = _(", and ").join(done) if done else _("nothing is sent yet")
    sentence = _("When %(when)s, %(what)s.") % {"when": describe_when(trigger), "what": what}
    return sentence + describe_category(trigger) + LANES.get(trigger.lane_of_events, "")


def describe_trigger(trigger):
    """``describe_rule`` for a saved trigger, by those of its subscriptions that are switched on."""
    live = [each for each in trigger.subscriptions.all() if each.enabled]
    return describe_rule(trigger, [(each.channels, _describe_whom(each)) for each in live])


def _describe_whom(subscription):
    whom, flow = all_of(map(describe_audience, subscription.audiences.all())), describe_flow(subscription)
    return f"{whom} ({flow})" if whom and flow else whom


def describe_category(trigger):
    """A sentence that says whether people can choose; nothing where the trigger has no category."""
    if trigger.category is None:
        return ""
    words = (
        _(" It is “%s”: nobody can opt out.")
        if trigger.category.mandatory
        else _(" It is “%s”, which people can opt out of.")
    )
    return words % trigger.category.title


def describe_when(trigger):
    """“a Flash sale is created and its discount percent is over 20”."""
    words = _happening(trigger)
    if trigger.actor_model:
        words += _(" by %s") % _object(trigger.actor_model, trigger.actor_pk)
    if trigger.target:
        words += _(" with the target “%s”") % trigger.target
    if trigger.condition.strip():
        words += _(" and ") + condition_words.describe(trigger.condition, readable.find_model(trigger.model))
    return words


def _happening(trigger):
    about = _object(trigger.model, trigger.object_pk) if trigger.model else ""
    if trigger.verb == "post_save":
        return f"{about or _('something')} {SAVED.get(trigger.on, SAVED['any'])}"
    if trigger.verb in OBJECT:
        about = about or _("something")
        changing = (
            {"created": _(" for the first time"), "updated": _(" again")}
            if trigger.verb == "pre_save"
            else {}
        )
        return f"{about} {OBJECT[trigger.verb]}{changing.get(trigger.on, '')}"
    words = str(PEOPLE.get(trigger.verb) or _("“%s” is sent") % trigger.verb)
    return _("%(what)s about %(object)s") % {"what": words, "object": about} if about else words


def _object(label, pk):
    model = readable.find_model(label)
    name = str(capfirst(model._meta.verbose_name)) if model else label
    if pk:
        return _("the %(name)s %(pk)s") % {"name": name, "pk": pk}
    return (_("an %s") if VOWEL.match(name) else _("a %s")) % name


def _channels(names):
    # “post on X as” reads best last, before the account's name.
    return all_of(sorted(map(registry.verb, sorted(names)), key=lambda verb: len(verb.split())))


def audiences_prefetch():
    """The rows that ``describe_trigger`` reads of the audiences of many triggers, in two queries."""
    named = Audience.users.through.objects.filter(audience=OuterRef("pk"))
    found = Audience.objects.annotate(names_users=Exists(named)).prefetch_related("groups")
    return Prefetch("subscriptions__audiences", found)


def warnings(trigger):
    """Warnings that nothing is sent, or not what one would think, as texts."""
    if signals.get(trigger.verb) is None:
        yield _("The signal “%s” is not registered any more: it never fires.") % trigger.verb
    if trigger.enabled and inner_signals.is_inner(trigger.verb):
        yield _("It fires at %s.") % inner_signals.FIRES_AT[trigger.verb]
    if trigger.is_retired:
        yield _("The code that declared it is gone, so it is off. Take it over to go on with it.")
    elif not trigger.enabled:
        yield _("It is switched off.")
    elif trigger.shadow:
        yield _("It is only tried: each event shows what it would send, and nothing is sent.")
    yield from relation_warnings(trigger)
    yield from unchecked_warnings(trigger)
    for each in trigger.subscriptions.all():
        if not each.enabled:
            yield _("What sends “%s” is switched off.") % each.template
        yield from digest_warnings(each)


def unchecked_warnings(trigger):
    """A warning for each argument of unknown type that the condition reads further into, as a text."""
    paths = _condition_paths(trigger)
    for name in roots.unchecked(trigger):
        if steps := {step: branch for step, branch in paths.get(name, {}).items() if step}:
            path, how = path_names({name: steps})[0], roots.how_to_check(trigger, name)
            yield _("Not checked in its condition: %(path)s. %(how)s") % {"path": path, "how": how}


def _condition_paths(trigger):
    try:
        return conditions.compile_condition(trigger.condition).paths
    except ConditionRefused:
        return {}


def relation_warnings(trigger):
    """A warning where each change of a relation to many would be told twice, as a text."""
    if trigger.verb == "m2m_changed" and "action" not in _condition_paths(trigger):
        yield _(
            "Each change is told twice, before it and after it. For once, write a condition: action == "
            '"post_add" when something was added, "post_remove" when something was taken away, "post_clear" '
            "when everything was."
        )


def describe_flow(subscription):
    """“the first channel that succeeds, at most 3 in a day, in one message every hour”, or nothing."""
    one, found = subscription, []
    if one.order == one.Order.FIRST:
        found.append(_("the first channel that succeeds"))
    elif one.order == one.Order.INBOX_FIRST:
        found.append(_("the others if unread after %s") % durations.in_words(one.wait_minutes or 60))
    if one.throttle_number and one.throttle_minutes:
        period = durations.in_words(one.throttle_minutes)
        found.append(
            _("at most %(number)d in %(period)s") % {"number": one.throttle_number, "period": period}
        )
    if one.cooldown_minutes:
        found.append(_("not again about the same within %s") % durations.in_words(one.cooldown_minutes))
    if one.digest_minutes:
        found.append(_("together in one message after %s") % durations.in_words(one.digest_minutes))
    return ", ".join(found)


def digest_warnings(subscription):
    """Warnings about parts of a digest that would not be seen, as texts."""
    if not subscription.digest_minutes:
        return
    channels = [name for name in subscription.channels if not registry.is_read_in_the_site(name)]
    for content in subscription.template.contents.filter(channel__in=channels).select_related("version"):
        if content.version and digest_data.EVENTS not in content.version.paths:
            yield (
                _(
                    "“%s” does not list the events: of several that come together, only the "
                    "newest would be shown. "
                    "Write {%% for event in events %%} in it."
                )
                % content
            )
