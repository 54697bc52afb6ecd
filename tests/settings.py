"""The project's settings, with an app of models that the tests need."""

import tempfile

from project.settings import *  # noqa: F403
from project.settings import DATABASES, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.app"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, as in production: threads and processes of a test must see it. A new one a run, so that runs do not meet.
    DATABASES["default"]["TEST"] = {"NAME": f"{tempfile.mkdtemp(prefix='notifier-tests-')}/test.sqlite3"}
