"""Another user model, with a UUID for a key and without groups, `is_active` and `email`, is told of
everything like Django's own.
"""

import json
import os
import subprocess
import sys
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

pytestmark = pytest.mark.several_processes

ADA, BO, DUNYA = ("email", "ada@example.com"), ("email", "bo@example.com"), ("email", "work@example.com")
EXPECTED = {
    # rule: who receives it, and what it says
    # A contact point
    "everyone": [(*ADA, "Linen for Ada, Ada"), (*BO, "Linen for Bo, Bo"), (*DUNYA, "Linen for Dunya, Dunya")],
    "preset": [(*ADA, "Linen for Ada, Ada")],  # once, though her address is listed as well
    "recipient": [(*ADA, "Linen for Ada, Ada")],  # a foreign key
    "readers": [(*BO, "Linen for Bo, Bo")],  # many to many
    "function": [(*BO, "Linen for Bo, Bo")],
    "one of them": [(*BO, "Linen for Bo, Bo")],  # a trigger for one instance, by its UUID
    "signed in": [(*BO, "Bo for Bo, Bo")],  # an actor by his UUID; Dunya signed in, too
    # An SMS has no subject; the number is on her profile
    "": [("sms", "+4915112345678", "Linen for Ada, Ada")],
}


@pytest.fixture
def empty_database(tmp_path, transactional_db):
    """The address of a new database, of the kind that the tests run on."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{tmp_path}/db.sqlite3"
        return
    with connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE swapped")
        found = connection.settings_dict
        yield f"postgres://{found['USER']}@{quote(found['HOST'], safe='')}/swapped"
        cursor.execute("DROP DATABASE swapped WITH (FORCE)")


def test_a_swapped_user_model_is_told_from_the_signal_to_the_message(empty_database):
    environment = os.environ | {"DATABASE_URL": empty_database}
    command = [sys.executable, "-W", "error::DeprecationWarning", "-m", "tests.swapped.play"]
    ran = subprocess.run(
        command, env=environment, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    play = json.loads(ran.stdout.splitlines()[-1])
    by_rule = {}
    for channel, recipient, subject, text in sorted(play["sent"]):
        by_rule.setdefault(subject, []).append((channel, recipient, text))
    assert by_rule == EXPECTED
    # Chidi has no address: once as one of all, once as a reader.
    assert play["skipped"] == [["email", "Chidi", "skipped", "no_address"]] * 2
