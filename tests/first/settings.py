"""The tests' settings; with ``OTHER_DATABASE``, a file, the shop's models are in that one, and the rules are
not.
"""

import os

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.first"]

if "OTHER_DATABASE" in os.environ:
    DATABASES["other"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["OTHER_DATABASE"]}
    DATABASE_ROUTERS = ["tests.first.settings.Router"]


class Router:
    """The tables of all are in both, the shop's rows in the other."""

    def db_for_write(self, model, **hints):
        return "other" if model._meta.app_label == "shop" else "default"

    db_for_read = db_for_write
