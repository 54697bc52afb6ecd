"""The context of one firing: names that it offers to matching and templates.

Called by ``firings``, and by ``emission`` as if it fired.
"""

from django.db.models import signals as db

from ..rules.signals import is_about_save
from ..templating import permitted
from . import actors, previous

# Not None: by that a signal says that nobody did it.
_UNNAMED = object()


def context_of(registered, sender, kwargs):
    """The names that a firing offers to matching and templates: name → live object.

    ``action_object`` is the argument that the signal is registered to be about, or its own of that name, or
    its ``instance``, or its sender; ``actor_object`` is found likewise, or is the user that Django's login
    signals name, or else the request's. A save that a trigger wants it of offers ``previous``.
    """
    context = {name: kwargs.get(registered.own_name(name)) for name in registered.args}
    about, actor, target = map(registered.own_name, (registered.object, registered.actor, registered.target))
    if registered.signal is db.m2m_changed and permitted.is_never(kwargs.get("model")):
        # The keys of what no event may hold.
        context["pk_set"] = None
    context["verb"] = registered.name
    context["action_object"] = _first(kwargs, (about, "action_object", "instance"), sender)
    context["actor_object"] = _first(kwargs, (actor, "actor_object", "actor", "user"), _UNNAMED)
    if context["actor_object"] is _UNNAMED:
        context["actor_object"] = actors.current_actor()
    context["target"] = _first(kwargs, (target, "target"), None)
    if is_about_save(registered):
        context |= previous.recall(kwargs["instance"])
    return context


def _first(kwargs, names, default):
    return next((kwargs[name] for name in names if name in kwargs), default)


def absent_names(registered, kwargs):
    """The arguments that this firing did not bring, as templates name them. Django brings all of its own."""
    if registered.about_model:
        return frozenset()
    return frozenset(name for name in registered.args if registered.own_name(name) not in kwargs)


def is_creation(registered, kwargs):
    """True, False, or None where the signal is not about a save.

    Before the save, Django itself does not know better.
    """
    if registered.signal is db.pre_save:
        return kwargs["instance"]._state.adding
    # A signal of the project's own may call something else so.
    return created if isinstance(created := kwargs.get("created"), bool) else None
