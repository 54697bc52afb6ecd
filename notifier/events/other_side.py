"""A change of a many-to-many relation as the objects at its other end see it. Called by ``firings``.

Django tells it of one object, whose manager was asked: ``user.groups.add(group)`` of the user, and
``group.user_set.add(user)`` of the group. It is the same change, so the triggers of either hear of both.

Note [cleared]: a ``clear`` names nobody, and once it is done nobody is related any more. So who was is read
before it, where a trigger wants to know, and carried by the object that is cleared.
"""

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from django.db import connections, models, transaction
from django.db.models import ForeignKey, ManyToManyField

# So many objects are in memory at once.
PAGE_SIZE = 500
_CLEARED = "_notifier_cleared"


@dataclass(frozen=True)
class Relation:
    """The two keys of a relation's rows: ``own`` is of the object that Django tells of."""

    field: ManyToManyField
    is_reverse: bool
    own: ForeignKey
    other: ForeignKey

    @property
    def is_seen(self) -> bool:
        """Whether the others have a way back."""
        remote = self.field.remote_field
        return self.is_reverse or remote.symmetrical or not remote.hidden

    def key_of(self, instance: models.Model) -> Any:
        return getattr(instance, self.own.target_field.attname)

    def firing_of(self, other: models.Model, kwargs: dict[str, Any]) -> dict[str, Any]:
        """What Django would have told, had ``other``'s manager been asked."""
        field = self.field
        return kwargs | {
            "instance": other,
            "reverse": not self.is_reverse and not field.remote_field.symmetrical,
            "model": field.remote_field.model if self.is_reverse else field.model,
            "pk_set": None if kwargs["pk_set"] is None else {self.key_of(kwargs["instance"])},
        }


def read_firings(sender, kwargs):
    """Pages of what the other side would be told of this ``m2m_changed``. A query each."""
    relation = _relation_of(sender, kwargs)
    if relation is None or not relation.is_seen:
        return
    using, own = kwargs["using"], relation.key_of(kwargs["instance"])
    keys = _cleared(relation, sender, kwargs) if kwargs["pk_set"] is None else list(kwargs["pk_set"])
    if relation.field.remote_field.symmetrical:
        keys = [key for key in keys if key != own]
    others = kwargs["model"]._base_manager.using(using)
    for start in range(0, len(keys), PAGE_SIZE):
        page = keys[start : start + PAGE_SIZE]
        found = others.filter(**{f"{relation.other.target_field.name}__in": page})
        yield [relation.firing_of(other, kwargs) for other in _read(found, using)]


def _relation_of(sender, kwargs):
    instance, model, is_reverse = kwargs["instance"], kwargs["model"], kwargs["reverse"]
    here, there = (model, type(instance)) if is_reverse else (type(instance), model)
    for field in here._meta.many_to_many:
        # Of another kind, such as tags of any model, the rows are kept otherwise.
        if not isinstance(field, ManyToManyField) or field.remote_field.through is not sender:
            continue
        if issubclass(there, field.remote_field.model):
            names = field.m2m_field_name(), field.m2m_reverse_field_name()
            own, other = map(sender._meta.get_field, reversed(names) if is_reverse else names)
            return Relation(field, is_reverse, own, other)
    return None


def _cleared(relation, sender, kwargs):
    """The keys of those who are, or were, related to the object that is cleared. See note [cleared]."""
    carried = kwargs["instance"].__dict__.setdefault(_CLEARED, {})
    place = sender, relation.is_reverse
    if kwargs["action"] == "pre_clear":
        rows = sender._base_manager.using(kwargs["using"])
        rows = rows.filter(**{relation.own.attname: relation.key_of(kwargs["instance"])})
        carried[place] = _read(rows.values_list(relation.other.attname, flat=True), kwargs["using"])
        return carried[place]
    return carried.pop(place, [])


def _read(queryset, using):
    # In a transaction of the caller's, a query that fails must not take it along.
    is_open = not connections[using].get_autocommit()
    with transaction.atomic(using=using) if is_open else nullcontext():
        return list(queryset)
