"""What a queue's function leaves alone at its start, and finds when it needs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.conftest import FUNCTION

HOUSE = Path(__file__).parents[2]
START = """
import json, sys
import lambdas.{module}
started = sorted(sys.modules)
from django.urls import reverse
found = reverse("admin:notifier_event_changelist"), reverse("admin:auth_user_changelist")
print(json.dumps([started, *found]))
"""
PAGES = {"notifier.admin.rules", "unfold.admin", "project.urls"}


def started(module, handler):
    """The modules that are there when the function has started, and two addresses that it finds then."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = own | FUNCTION | {"_HANDLER": handler, "STAGE": "production"}
    done = subprocess.run(
        [sys.executable, "-c", START.format(module=module)],
        cwd=HOUSE, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    modules, *addresses = json.loads(done.stdout.splitlines()[-1])
    return set(modules), addresses


@pytest.mark.parametrize(
    ("module", "without"),
    [
        ("fanout", {"lxml", "css_inline", "requests", "phonenumbers", "yaml"}),
        ("sweep", {"lxml", "css_inline", "requests", "phonenumbers", "yaml"}),
        ("email", {"css_inline", "phonenumbers", "yaml"}),
        ("sms", {"lxml", "css_inline", "yaml"}),
        ("push", {"lxml", "css_inline", "requests", "phonenumbers", "yaml"}),
    ],
)
def test_a_queues_function_starts_without_pages_and_finds_their_addresses(module, without):
    modules, addresses = started(module, f"lambdas.{module}.handler")
    assert not modules & (PAGES | without)
    assert addresses == ["/admin/notifier/event/", "/admin/auth/user/"]


def test_the_website_has_its_pages_from_the_start():
    modules, _ = started("fanout", "handler.lambda_handler")
    assert {"notifier.admin.rules", "unfold.admin"} <= modules
