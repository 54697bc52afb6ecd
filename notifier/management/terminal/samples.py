"""The event that an object would become, for a preview of it. Called by ``render``."""

from django.core.management.base import CommandError
from django.db import router

from ...events import loading
from ...exceptions import DataRefused
from ...explaining import foreseen, preview
from ...models import Event
from ...rules import providers
from ...templating import readable, snapshot


def event_of(content, instance):
    """An event about ``instance``, not saved, as the first live trigger that sends ``content`` for its model
    would record it.
    """
    live = {each.pk: each for each in loading.load_triggers()}
    found = preview.triggers_of(content.template_id, content.channel)
    for trigger in found:
        model = readable.find_model(trigger.model)
        if trigger.pk in live and (model is None or isinstance(instance, model)):
            return _record(trigger, live[trigger.pk], instance)
    names = ", ".join(f"“{trigger}”" for trigger in found) or "none"
    raise CommandError(
        f"No live trigger sends “{content.template}” by {content.channel} for a "
        f"{instance._meta.verbose_name}. "
        f"Those that send it: {names}.",
        returncode=1,
    )


def _record(trigger, live, instance):
    context = foreseen.context_for(trigger, instance)
    event = foreseen.event_for(trigger, live, context, instance)
    context = providers.extended(context, live.providers, live.paths, using=router.db_for_write(Event))
    try:
        event.data = snapshot.freeze(context, live.paths)
    except DataRefused as error:
        raise CommandError(str(error), returncode=1) from error
    return event
