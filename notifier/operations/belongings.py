"""The rows that are a person's: of their account, to their addresses, and the events about them.

Called by ``exporting`` and ``privacy``. Any model of this app that has a ``user`` or a ``recipient`` is
asked, so one that is added later is not forgotten.
"""

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Q

from ..models import ContactPoint, Delivery, Event


def deliveries_of(subject):
    return Delivery.objects.filter(recipient__in=subject.names)


def rows_of(subject):
    """The querysets of this app's rows that belong to the person, but for deliveries.

    Contact points come last: they say which addresses are the person's.
    """
    models = apps.get_app_config("notifier").get_models()
    found = [_rows_in(model, subject) for model in models if model is not Delivery and not model._meta.proxy]
    return sorted((rows for rows in found if rows is not None), key=lambda rows: rows.model is ContactPoint)


def _rows_in(model, subject):
    fields = {
        field.name: field for field in model._meta.get_fields() if field.concrete and not field.many_to_many
    }
    if "recipient" in fields:
        return model._default_manager.filter(recipient__in=subject.names)
    if subject.user is not None and getattr(fields.get("user"), "related_model", None) is get_user_model():
        return model._default_manager.filter(user=subject.user.pk)
    return None


def events_of(subject):
    """Events that are about the person, that they caused, or that nobody else was told of."""
    return Event.objects.filter(
        _alone(subject) | Q(action_object__in=subject.labels) | Q(actor__in=subject.labels)
    )


def own_events_of(subject):
    """``events_of`` without those that the person only caused: what these say may be others' affair."""
    return Event.objects.filter(_alone(subject) | Q(action_object__in=subject.labels))


def caused_by(subject):
    return Event.objects.filter(actor__in=subject.labels)


def _alone(subject):
    others = Delivery.objects.filter(event=OuterRef("pk")).exclude(recipient__in=subject.names)
    return Q(pk__in=deliveries_of(subject).values("event")) & ~Exists(others)
