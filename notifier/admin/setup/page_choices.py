"""The choices on the set-up page, in plain words, by what this person may use. Called by ``form``."""

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from ...channels import registry as known
from ...rules import audiences, signals
from .. import choices
from .permissions import may

# One question for what are two columns of a trigger: its signal, and whether a save made the object or
# changed it.
OBJECTS = [
    ("post_save:created", _("It is created")),
    ("post_save:updated", _("It is changed")),
    ("post_save:any", _("It is created or changed")),
    ("post_delete:any", _("It is deleted")),
    ("m2m_changed:any", _("It is linked to something else")),
]
PEOPLE = [
    ("user_logged_in:any", _("Somebody signs in")),
    ("user_logged_out:any", _("Somebody signs out")),
    ("user_login_failed:any", _("Somebody fails to sign in")),
]


def moments():
    own = [
        (f"{name}:any", capfirst(name.replace("_", " ")))
        for name in signals.names()
        if name not in choices.BUILTIN
    ]
    groups = [
        (_("Something of yours"), OBJECTS),
        (_("People"), PEOPLE),
        (_("This project’s own signals"), own),
    ]
    return [(label, group) for label, group in groups if group]


def channels():
    """All channels; those first by which the settings find people, as most rules want these."""
    reaching = [name for name, path in known.addresses().items() if path != "pk"]
    ordered = sorted(
        known.channel_names(), key=lambda name: reaching.index(name) if name in reaching else len(reaching)
    )
    return [(name, known.label(name)) for name in ordered]


def examples():
    """“email: ops@example.com” for each channel that takes addresses, as one line of an audience."""
    return [f"{name}: {example}" for name in known.channel_names() if (example := known.example(name))]


def parts_of(channel):
    """The fields to write a message for a channel in. A body becomes HTML or text, by what is written."""
    parts = known.parts(channel)
    main = "body" if "html" in parts else "text"
    return tuple(name for name in ("subject", main, "link") if name == main or name in parts)


def whats(request):
    found = [("write", _("Write it here"))] if may(request, "add_template") else []
    return found + ([("choose", _("Use a template that is there"))] if may(request, "view_template") else [])


def whoms(request, site):
    """Ways to say who gets it, by what this person may look at."""
    found = []
    if may(request, "add_audience"):
        found = [("everyone", _("Everyone: all active users"))]
        found += (
            [("groups", _("Groups"))] if _has_groups() and request.user.has_perm("auth.view_group") else []
        )
        found += [("users", _("People that I choose"))] if can_search_people(request, site) else []
        found += [("paths", _("Somebody whom the object names: its owner, its customer, …"))]
        found += [("addresses", _("Plain addresses, rooms or accounts"))]
        found += [("callables", _("Whom this project works out"))] if audiences.callable_names() else []
    return found + ([("audience", _("An audience that is there"))] if may(request, "view_audience") else [])


def _has_groups():
    """Whether people are in groups at all: a project's own user model may do without."""
    return audiences.has_field(get_user_model(), "groups")


def can_search_people(request, site):
    """The box that finds people while one types asks the user's own admin."""
    model = get_user_model()
    if not site.is_registered(model):
        return False
    users = site.get_model_admin(model)
    return bool(users.get_search_fields(request)) and users.has_view_permission(request)


def groups(request):
    found = Group.objects.order_by("name")
    return found if request.user.has_perm("auth.view_group") else found.none()
