"""Signals of Django's inner workings, which fire far more often than anybody wants to hear of it.

Read by whatever chooses a signal: the admin's forms, the import of files, the sentences about a rule.
"""

from django import VERSION
from django.utils.translation import gettext_lazy as _

# Signal → what it fires at each of, for the sentence that warns of it.
FIRES_AT = {
    "pre_init": _("each object that is made in memory, so each row that any query reads"),
    "post_init": _("each object that is made in memory, so each row that any query reads"),
    "class_prepared": _("each model, whenever a process starts"),
    "pre_migrate": _("each app, whenever the database is migrated"),
    "post_migrate": _("each app, whenever the database is migrated"),
    "request_started": _("each request"),
    "request_finished": _("each request"),
    "got_request_exception": _("each request that fails"),
    "connection_created": _("each connection to a database that is opened"),
    "setting_changed": _("each setting that a test changes"),
}
if VERSION >= (6, 0):
    FIRES_AT |= {
        "task_enqueued": _("each task that is queued"),
        "task_started": _("each task that begins"),
        "task_finished": _("each task that ends"),
    }
# A file of rules may say these; no form offers them. A list of a hundred rows would fire a hundred times.
NOT_OFFERED = frozenset({"pre_init", "post_init"})
# The permission to switch on a rule about one of them. Superusers have it.
PERMISSION = "notifier.choose_inner_signals"


def is_inner(verb):
    """Whether the signal of that name belongs to Django's inner workings."""
    return verb in FIRES_AT
