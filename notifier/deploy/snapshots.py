"""A function that Lambda starts from a snapshot of itself (SnapStart): what must not be the same in all of
its copies, nor as old as the snapshot.

https://docs.aws.amazon.com/lambda/latest/dg/snapstart-uniqueness.html
"""

import logging
import os
import random
import sys
import time
from importlib import reload

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from notifier.events.index import index

from .environment import read_secrets

logger = logging.getLogger(__name__)

# So old may a secret be that a snapshot holds; Lambda keeps one for weeks.
SECRETS_SECONDS = 3600


def follow():
    """Have Lambda call ``begin_anew`` after each restore, where this process becomes a snapshot.

    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
    """
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != "snap-start":
        return
    # Lambda's Python has it, and no package.
    from snapshot_restore_py import register_after_restore, register_before_snapshot

    register_before_snapshot(connections.close_all)
    register_after_restore(begin_anew, taken_at=time.time())


def begin_anew(*, taken_at):
    """Be a process of its own, and of now. ``taken_at``: when the secrets were read, in seconds of Unix."""
    connections.close_all()
    random.seed()
    # Its clock stood still meanwhile: it would take them for fresh.
    index.forget()
    if time.time() - taken_at > SECRETS_SECONDS:
        _read_secrets_again()


def _read_secrets_again():
    """Put secrets that were changed since into the environment, the settings and the connections to come."""
    before = dict(os.environ)
    try:
        read_secrets(os.environ, again=True)
    except ImproperlyConfigured as error:
        logger.warning("The secrets of the snapshot are used on. %s", error)
        return
    if before == dict(os.environ):
        return
    module = reload(sys.modules[settings.SETTINGS_MODULE])
    for name in filter(str.isupper, vars(module)):
        setattr(settings, name, getattr(module, name))
    for alias, database in settings.DATABASES.items():
        connections[alias].settings_dict.update(database)
