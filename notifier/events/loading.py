"""Reads the rules from the database, as ``index`` keeps them."""

import logging
from contextlib import nullcontext
from functools import lru_cache
from itertools import chain

from django.db import connections, router, transaction
from django.db.models import Prefetch

from ..exceptions import ConditionRefused, UnreadablePath
from ..models import ContentVersion, RulesVersion, Subscription, TemplateContent, Trigger
from ..observing import log_failure
from ..rules import audiences, conditions, plans, roots, signals
from ..rules.providers import personal_names
from ..templating import digest_data
from ..templating.compiler import merge_paths
from ..templating.data import AT_RENDERING
from .live import LiveTrigger

logger = logging.getLogger(__name__)


def read_token():
    """The token of the rules as they are now, or None before the first rule. One query."""
    return RulesVersion.objects.filter(pk=1).values_list("token", flat=True).first()


def has_tables():
    """Tell whether our tables are there. Before the first ``migrate`` there are no rules, and no error."""
    return RulesVersion._meta.db_table in _connection().introspection.table_names()


def savepoint():
    """A context in which a query that fails does not break the caller's transaction, if there is one."""
    connection = _connection()
    return transaction.atomic(using=connection.alias) if connection.in_atomic_block else nullcontext()


def _connection():
    return connections[router.db_for_read(RulesVersion)]


def load_triggers():
    """All enabled triggers with what their events must store.

    Five queries, whatever their number, and no texts: those can be megabytes.

    One that cannot be read is logged and left out: it must not take the others along, nor the request that
    happens to load them.
    """
    versions = Prefetch("version", ContentVersion.objects.only("paths"))
    contents = TemplateContent.objects.only("template", "channel", "language", "version").prefetch_related(
        versions
    )
    live = (
        Subscription.objects.filter(enabled=True)
        .select_related("template")
        .prefetch_related(Prefetch("template__contents", contents), "audiences")
    )
    triggers = (
        Trigger.objects.filter(enabled=True)
        .select_related("category")
        .prefetch_related(Prefetch("subscriptions", live, to_attr="live"))
    )
    found = []
    for trigger in triggers:
        if refused := roots.not_permitted(trigger):
            # Written past the forms, or before they refused it.
            _log_once("The trigger %d fires nothing: %s", trigger.pk, refused[1])
            continue
        try:
            found.append(_live_trigger(trigger))
        except Exception:
            log_failure(logger, "The trigger %d cannot be read and fires nothing", trigger.pk)
    return found


def _live_trigger(trigger):
    plan: plans.Plan = []
    trees, recipient_paths, providers = [], {}, {}
    for subscription in trigger.live:
        contents = [
            content
            for content in subscription.template.contents.all()
            if content.channel in subscription.channels and content.version
        ]
        providers |= dict.fromkeys(subscription.template.providers)
        trees += [content.version.paths for content in contents]
        plan.append(plans.step_of(subscription.pk, subscription.channels, contents))
        lines = (audiences.read_lines(audience, "paths") for audience in subscription.audiences.all())
        recipient_paths[subscription.pk] = list(chain.from_iterable(lines))
    condition, problem = _read_condition(trigger)
    paths = digest_data.folded(merge_paths(*trees, condition.paths if condition else {}))
    # The person is not part of the event: who that is, is known only after the fan-out.
    own_names, registered = personal_names(providers), signals.get(trigger.verb)
    for name in AT_RENDERING.difference(registered.args if registered else ()) | own_names:
        paths.pop(name, None)
    if own_names:
        # What it was about and who did it is all that their providers find of it, beside what is read.
        paths = merge_paths(paths, {"action_object": {}, "actor_object": {}, "verb": {}})
    return LiveTrigger(
        pk=trigger.pk, verb=trigger.verb, model=trigger.model, object_pk=trigger.object_pk, on=trigger.on,
        actor_model=trigger.actor_model, actor_pk=trigger.actor_pk, target=trigger.target,
        shadow=trigger.shadow, plan=plan, paths=paths, recipient_paths=recipient_paths,
        providers=tuple(providers), name=trigger.name, category=trigger.category_id,
        lane=trigger.lane_of_events, delay_minutes=trigger.delay_minutes,
        expires_minutes=trigger.expires_minutes, condition=condition, condition_problem=problem,
    )  # fmt: skip


def _read_condition(trigger):
    """``(its Condition or None, "" or why it cannot be used)``.

    An older release may have taken it, or a field has gone since.
    """
    if not trigger.condition.strip():
        return None, ""
    try:
        return conditions.check_condition(trigger.condition, trigger), ""
    except (ConditionRefused, UnreadablePath) as error:
        text = "The condition of the trigger %d cannot be used, so it matches nothing: %s"
        _log_once(text, trigger.pk, str(error))
        return None, str(error)


@lru_cache(maxsize=1024)
def _log_once(text, pk, problem):
    # Not at every change of any rule.
    logger.warning(text, pk, problem)
