"""Tells a deletion once where a row of several tables goes. Called by ``firings``.

Note [several tables]: of a multi-table child, Django sends the signals of the child and those of each of its
parents, and a trigger of a parent hears all of them. They are the deletion of one object: the first that a
trigger matched counts, which is the child, as of a save. Django names the deletion, by its ``origin``.
"""

from functools import lru_cache

from django.db.models import Model, signals as db

# Where the origin of a deletion carries what was told of it.
_TOLD = "_notifier_told"


def keep_untold(registered, kwargs, matched):
    """Take those triggers out of ``matched`` that another table's signal has told of this deletion."""
    instance, origin = kwargs.get("instance"), kwargs.get("origin")
    if registered.signal not in (db.pre_delete, db.post_delete) or not matched:
        return
    if not isinstance(instance, Model) or origin is None:
        return
    tables = _tables(instance.__class__._meta.concrete_model)
    if not tables:
        return
    fired, told = origin.__dict__.setdefault(_TOLD, (set(), set()))
    firing = registered.name, instance.__class__, instance.pk
    if firing in fired:
        # Within one deletion, each class and key comes once: this is another one of the same origin.
        fired.clear()
        told.clear()
    fired.add(firing)
    # A child has the keys of its parents' rows.
    rows = {(registered.name, table, getattr(instance, table._meta.pk.attname)) for table in tables}
    matched[:] = [trigger for trigger in matched if not any((row, trigger.pk) in told for row in rows)]
    told |= {(row, trigger.pk) for row in rows for trigger in matched}


@lru_cache(maxsize=1024)
def _tables(model):
    """The models whose rows make up one object of ``model``, itself included; none where it is a single
    table.
    """
    has_children = any(getattr(each, "parent_link", False) for each in model._meta.related_objects)
    parents = {each._meta.concrete_model for each in model._meta.get_parent_list()}
    return frozenset({model, *parents}) if parents or has_children else frozenset()
