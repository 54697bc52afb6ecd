"""What ``manage.py check --database`` says of rules that can hear nothing of what they are about.

Imported by ``checks``; what is seen only when it happens is ``silent_writes``.
"""

from django.apps import apps
from django.core import checks
from django.db import DatabaseError, models, router

from ..models import Trigger
from ..templating import readable
from .silent_writes import DELETIONS, SAVES


@checks.register(checks.Tags.database)
def check_silent_rules(databases=None, **_options):
    """Rules about rows that the database deletes by itself, or that Django writes without a signal."""
    if router.db_for_read(Trigger) not in (databases or ()):
        return []
    try:
        live = list(Trigger.objects.filter(enabled=True, verb__in=SAVES + DELETIONS))
    except DatabaseError:  # its tables are still to come
        return []
    return [problem for trigger in live for problem in _problems_of(trigger)]


def _problems_of(trigger):
    model = readable.find_model(trigger.model)
    if model is None:
        return
    if trigger.verb in DELETIONS:
        for each in apps.get_models(include_auto_created=True):
            if issubclass(each, model):
                yield from _silent_deletions(trigger, each)
    elif model._meta.auto_created:
        yield checks.Warning(
            f"The rule “{trigger.name}” hears nothing: {trigger.model} has rows that a relation adds by "
            "itself, and no save.",
            hint="Let it be about m2m_changed of the model that has the relation.",
            id="notifier.W011",
        )


def _silent_deletions(trigger, model):
    # Django 6.1 and newer: https://docs.djangoproject.com/en/dev/ref/models/fields/#django.db.models.DB_CASCADE
    cascade = getattr(models, "DB_CASCADE", None)
    for field in model._meta.concrete_fields:
        if cascade is not None and getattr(field.remote_field, "on_delete", None) is cascade:
            parent = field.remote_field.model._meta.label_lower
            yield checks.Warning(
                f"The rule “{trigger.name}” does not hear of each deletion: with a {parent}, the database "
                f"itself deletes each {model._meta.label_lower} of it ({field.name}), and no signal is sent.",
                hint="Let its on_delete be models.CASCADE, or call notifier.emit_bulk before the deletion.",
                id="notifier.W011",
            )
