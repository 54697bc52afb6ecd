"""The context of one firing: names that it offers to matching and templates.

Called by ``firings``, and by ``emission`` as if it fired.
"""

from django.db import models

from ..rules.signals import is_about_save
from . import actors, previous

# Not None: by that a signal says that nobody did it.
_UNNAMED = object()


def context_of(registered, sender, kwargs):
    """The names that a firing offers to matching and templates: name → live object.

    ``action_object`` is the signal's own, or its ``instance``, or its sender; ``actor_object`` is the
    signal's own, or the user that Django's login signals name, or else the request's. A save that a trigger
    wants it of offers ``previous``.
    """
    context = {name: kwargs.get(name) for name in registered.args}
    context["verb"] = registered.name
    context["action_object"] = kwargs.get("action_object", kwargs.get("instance", sender))
    context["actor_object"] = kwargs.get("actor_object", kwargs.get("actor", kwargs.get("user", _UNNAMED)))
    if context["actor_object"] is _UNNAMED:
        context["actor_object"] = actors.current_actor()
    context["target"] = kwargs.get("target")
    if is_about_save(registered):
        context |= previous.recall(kwargs["instance"])
    return context


def is_creation(kwargs):
    """True, False, or None where the signal is not about a save.

    Before the save, Django itself does not know better.
    """
    if "created" in kwargs:
        return kwargs["created"]
    instance = kwargs.get("instance")
    return instance._state.adding if "raw" in kwargs and isinstance(instance, models.Model) else None
