"""Choices of the forms: what exists now, not what existed at import."""

from collections import defaultdict

from django import VERSION
from django.apps import apps
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from ..channels import registry
from ..rules import audiences, inner_signals, signals
from ..templating import permitted

BLANK = ("", "---------")

# Django's own signals in plain words, by what people look for. All others are the project's own.
OBJECTS = {
    "post_save": _("it was saved"),
    "post_delete": _("it was deleted"),
    "m2m_changed": _("what it is linked to has changed"),
    "pre_save": _("it is about to be saved"),
    "pre_delete": _("it is about to be deleted"),
}
PEOPLE = {
    "user_logged_in": _("somebody signed in"),
    "user_logged_out": _("somebody signed out"),
    "user_login_failed": _("somebody failed to sign in"),
}
INNER = {
    "pre_init": _("an object is about to be made in memory"),
    "post_init": _("an object was made in memory"),
    "class_prepared": _("a model was defined"),
    "pre_migrate": _("the database is about to be migrated"),
    "post_migrate": _("the database was migrated"),
    "request_started": _("a request came in"),
    "request_finished": _("a request was answered"),
    "got_request_exception": _("a request failed"),
    "connection_created": _("a connection to a database was opened"),
    "setting_changed": _("a test changed a setting"),
}
if VERSION >= (6, 0):
    INNER |= {
        "task_enqueued": _("a task was queued"),
        "task_started": _("a task began"),
        "task_finished": _("a task ended"),
    }
BUILTIN = OBJECTS | PEOPLE | INNER


def verb_choices(*, with_inner=False, chosen=""):
    """All registered signals, the ones that people want most first.

    Those of Django's inner workings only ``with_inner``, and never those that fire for each row; but the one
    that is ``chosen`` already is always there.
    """
    own = {name: "" for name in signals.names() if name not in BUILTIN}
    inner = {
        name: words
        for name, words in INNER.items()
        if name == chosen or with_inner and name not in inner_signals.NOT_OFFERED
    }
    groups = [
        (_("About an object"), OBJECTS),
        (_("This project"), own),
        (_("People"), PEOPLE),
        (_("Django’s inner workings: each costs something whenever it fires"), inner),
    ]
    return [
        BLANK,
        *(
            (label, [(name, _verb_label(name, words)) for name, words in group.items()])
            for label, group in groups
            if group
        ),
    ]


def _verb_label(name, words):
    return f"{name}: {words}" if words else name


def model_choices():
    """Every model that an event may hold something of, the project's own apps first."""
    groups = defaultdict(list)
    for model in apps.get_models():
        app = model._meta.app_config
        if not permitted.is_never(model):
            # What was installed beside Django is seldom what people want to hear of.
            is_foreign = "site-packages" in app.path
            groups[is_foreign, str(app.verbose_name)].append(
                (model._meta.label_lower, capfirst(model._meta.verbose_name))
            )
    found = sorted((key, sorted(models, key=lambda choice: choice[1])) for key, models in groups.items())
    return [BLANK, *((name, models) for (_foreign, name), models in found)]


def channel_choices():
    """By the names that files of rules and plain addresses use, and what people call them where that is
    another word.
    """
    return [(name, _channel_choice(name, registry.label(name))) for name in registry.channel_names()]


def _channel_choice(name, label):
    return name if label.replace("-", "").lower() == name else f"{name} ({label})"


def callable_choices():
    return [(name, name) for name in audiences.callable_names()]
