"""The project's settings of a developer's machine, with an app of models that the tests need."""

import os
import tempfile

# A test that plays a function in another process has its database on SQLite, which a function's settings
# refuse.
_function = os.environ.pop("AWS_LAMBDA_FUNCTION_NAME", None)

from project.settings import *  # noqa: E402, F403
from project.settings import DATABASES, INSTALLED_APPS  # noqa: E402
from tests.support.patience import PATIENCE_SECONDS  # noqa: E402

if _function is not None:
    os.environ["AWS_LAMBDA_FUNCTION_NAME"] = _function

INSTALLED_APPS = [*INSTALLED_APPS, "tests.app", "tests.stock"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# `Client.login` signs in without a request, which it takes for an attack.
AXES_ENABLED = False

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, as in production: threads and processes of a test must see it. A new one a run, so that runs do
    # not meet. On a busy machine a writer may wait for the others longer than a person would.
    DATABASES["default"]["OPTIONS"]["timeout"] = PATIENCE_SECONDS
    DATABASES["default"]["TEST"] = {"NAME": f"{tempfile.mkdtemp(prefix='notifier-tests-')}/test.sqlite3"}
