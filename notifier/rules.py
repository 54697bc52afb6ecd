"""Reads the rules from the database, as ``notifier.triggers`` keeps them. Next hop: back to ``notifier.triggers``."""

from django.db.models import Prefetch

from . import audiences
from .models import RulesVersion, Subscription, Trigger
from .templating import merge_paths
from .triggers import LiveTrigger


def read_token():
    """The token of the rules as they are now, or None before the first rule. One query."""
    return RulesVersion.objects.filter(pk=1).values_list("token", flat=True).first()


def load_triggers():
    """All enabled triggers with what their events must store. Five queries, whatever their number."""
    live = Subscription.objects.filter(enabled=True).prefetch_related("template__contents__version", "audiences")
    triggers = Trigger.objects.filter(enabled=True).prefetch_related(Prefetch("subscriptions", live, to_attr="live"))
    return [_live_trigger(trigger) for trigger in triggers]


def _live_trigger(trigger):
    plan, trees, recipient_paths = [], [], {}
    for subscription in trigger.live:
        versions = {
            content.channel: content.version
            for content in subscription.template.contents.all()
            if content.channel in subscription.channels and content.version
        }
        trees += [version.paths for version in versions.values()]
        plan.append({"subscription": subscription.pk, "contents": {name: each.pk for name, each in versions.items()}})
        lines = [line for audience in subscription.audiences.all() for line in audiences.lines_of(audience.paths)]
        recipient_paths[subscription.pk] = [audiences.parse_path(line) for line in lines]
    paths = merge_paths(*trees)
    # The person is not part of the event: who that is, is known only after the fan-out.
    paths.pop("user", None)
    return LiveTrigger(
        pk=trigger.pk, verb=trigger.verb, model=trigger.model, object_pk=trigger.object_pk, on=trigger.on,
        actor_model=trigger.actor_model, actor_pk=trigger.actor_pk, target=trigger.target,
        plan=plan, paths=paths, recipient_paths=recipient_paths,
    )  # fmt: skip
