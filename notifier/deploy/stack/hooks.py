"""The functions that Zappa calls, by the names in ``zappa_settings.json``. Calls ``deployment``."""

import os
import sys

# Zappa loads this file by its path, and its own script's folder is all that Python knows.
sys.path.insert(0, os.getcwd())

from notifier.deploy.stack.deployment import finish, measure, prepare

settings, zip, post = prepare, measure, finish
