"""Reads objects a page at a time, together with what their triggers read of them.

Called by ``emit`` and ``emission``.
"""

from django.db import models, router
from django.db.models.fields.related import ManyToManyField
from django.db.models.fields.reverse_related import ManyToManyRel, ManyToOneRel, OneToOneRel
from django.db.models.query import ModelIterable

from ..exceptions import EmitError
from ..templating import fields, readable, snapshot
from ..templating.compiler import merge_paths
from . import reentrancy

# Relations whose lists Django reads for many objects in one query, each up to a length.
LISTS = ManyToManyField, ManyToManyRel, ManyToOneRel


def database_of(instance):
    """The database that ``instance`` is of, or would be saved to."""
    return instance._state.db or router.db_for_write(type(instance), instance=instance)


def is_saved(instance):
    return instance.pk is not None and not instance._state.adding


def model_of(objects):
    """The model of a queryset or of a list of objects. EmitError for what cannot be read by page."""
    if isinstance(objects, models.Manager):
        objects = objects.all()
    if isinstance(objects, models.QuerySet):
        _check_queryset(objects)
        return objects.model
    if not isinstance(objects, list | tuple):
        raise EmitError(
            f"emit_bulk takes a queryset or a list of saved objects, not {type(objects).__name__}."
        )
    kinds = {type(each) for each in objects}
    if wrong := [kind for kind in kinds if not issubclass(kind, models.Model)]:
        raise EmitError(f"emit_bulk takes objects of a model; this list holds {wrong[0].__name__}.")
    if len(kinds) > 1:
        raise EmitError(
            "emit_bulk takes objects of one model at a time, not of "
            f"{', '.join(sorted(k.__name__ for k in kinds))}."
        )
    return kinds.pop() if kinds else models.Model


def _check_queryset(queryset):
    if not issubclass(queryset._iterable_class, ModelIterable):
        raise EmitError("This queryset gives values, not objects: leave out .values() and .values_list().")
    query = queryset.query
    for is_so, what in (
        (query.is_sliced, "is a slice"),
        (query.combinator, f"is a {query.combinator}"),
        (query.distinct_fields, "is distinct on fields"),
    ):
        if is_so:
            raise EmitError(
                f"This queryset {what}, which cannot be read by page. If it is short, write list(queryset)."
            )


def read(objects, triggers, *, argument, size):
    """Pages of up to ``size`` objects.

    What ``triggers`` read of a queryset's objects comes with the page, in a query a relation.
    """
    if isinstance(objects, list | tuple):
        yield from (objects[start : start + size] for start in range(0, len(objects), size))
        return
    rows = _read_ahead(objects.all(), tree_of(triggers, argument)).order_by("pk")
    last = None
    while True:
        with reentrancy.while_recording():  # what is read here is no post_init of anybody's
            page = list((rows if last is None else rows.filter(pk__gt=last))[:size])
        if page:
            # A join may give an object several times, one after the other.
            last = page[-1].pk
            yield list({each.pk: each for each in page}.values())
        if len(page) < size:
            return


def tree_of(triggers, argument):
    """The paths that templates and audiences read of the object, as one tree."""
    trees = [trigger.paths.get(root, {}) for trigger in triggers for root in (argument, "action_object")]
    for trigger in triggers:
        for _, path in (line for lines in trigger.recipient_paths.values() for line in lines):
            root, *names = path.split(".")
            if root in (argument, "action_object"):
                # Of the last name, its key is enough.
                trees.append(_nest(names[:-1]))
    return merge_paths(*trees)


def _nest(names):
    tree = {}
    for name in reversed(names):
        tree = {name: tree}
    return tree


def _read_ahead(queryset, tree):
    """``queryset`` with the relations that ``tree`` names; lists to the length that an event holds."""
    singles, lists = _relations(queryset.model, tree)
    queryset = queryset.defer(None).select_related(*singles) if singles else queryset.defer(None)
    for name, model, branch in lists:
        items = _read_ahead(model._default_manager.all(), branch)[: snapshot.MAX_ITEMS]
        # Django takes a slice only for a list of its own name.
        to = snapshot.READ_AHEAD + name.rpartition("__")[2]
        queryset = queryset.prefetch_related(models.Prefetch(name, items, to_attr=to))
    return queryset


def _relations(model, tree, prefix=""):
    """Names of relations to one object, and ``(name, model, tree)`` of those to many, as Django's look-ups
    write them.
    """
    singles, lists = [], []
    for name, branch in tree.items():
        if (field := readable.single_relation(model, name)) is not None:
            found = _relations(field.related_model, branch, f"{prefix}{name}__")
            singles += [f"{prefix}{name}", *found[0]]
            lists += found[1]
        elif _is_list_read(branch) and (related := _list_model(model, name)) is not None:
            lists.append((f"{prefix}{name}", related, branch["all"].get("*", {})))
    return singles, lists


def _is_list_read(branch):
    """Whether the items themselves are read, and not only how many there are."""
    return "all" in branch and (not branch["all"] or not branch["all"].keys().isdisjoint(("", "*")))


def _list_model(model, name):
    for field in model._meta.get_fields():
        if (
            isinstance(field, LISTS)
            and not isinstance(field, OneToOneRel)
            and fields.accessor_of(field) == name
        ):
            return field.related_model
    return None
