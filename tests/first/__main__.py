"""``python -m tests.first ACT``: starts Django and does the act."""

import sys

import django

django.setup()

from tests.first import acts  # noqa: E402

getattr(acts, sys.argv[1])()
