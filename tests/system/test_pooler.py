"""Behind a connection pooler in transaction mode everything works as without one."""

import json
import os
import subprocess
import sys
import tempfile

import pytest
from django.conf import settings
from django.db import connection

from notifier.models import ContactPoint, Delivery, Event
from tests.support import functions, pooler
from tests.support.builders import make_audience, make_event, make_user

pytestmark = [
    pytest.mark.several_processes,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        connection.vendor != "postgresql" or not pooler.find_program(), reason="PgBouncer is not here"
    ),
]


@pytest.fixture
def pooled():
    with (
        tempfile.TemporaryDirectory(prefix="notifier-pooler-") as folder,
        pooler.pooled(folder) as url,
    ):
        yield url


def manage(url, *arguments):
    ran = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env=os.environ | {"DATABASE_URL": url},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_a_person_is_exported_and_erased(pooled, monkeypatch):
    ada = make_user(username="ada", email="ada@example.com")
    ContactPoint.objects.create(user=ada, channel="sms", address="+447400123401")
    for _ in range(3):
        event = make_event(status="done", due_at=None)
        values = {"subscription_id": 1, "version_id": 1, "created_at": event.created_at}
        Delivery.objects.create(
            event=event, channel="email", recipient=f"user:{ada.pk}", address="ada@example.com",
            status="sent", finished_at=event.created_at, **values,
        )  # fmt: skip
    found = json.loads(manage(pooled, "notify", "export-person", "ada"))
    assert (len(found["delivery"]), len(found["contactpoint"])) == (3, 1)
    assert "what 3 events said" in manage(pooled, "notify", "erase-person", "ada", "--yes")
    assert not Delivery.objects.exclude(address="").exists()
    assert not Event.objects.filter(emptied_at=None).exists()


def test_an_event_is_fanned_out_and_sent(cloud, pooled, monkeypatch):
    monkeypatch.setattr(functions, "database_url", lambda: pooled)
    people = [make_user() for _ in range(5)]
    event = make_event(audiences=[make_audience(users=people)])
    with functions.worker("fanout", *functions.bodies_for("fanout", [event.pk])) as process:
        assert process.result()["answer"] == {"batchItemFailures": []}
    ids = list(Delivery.objects.values_list("pk", flat=True))
    with functions.worker("email", *functions.bodies_for("email", ids)) as process:
        assert process.result()["answer"] == {"batchItemFailures": []}
    assert list(Delivery.objects.values_list("status", flat=True)) == ["sent"] * 5
    assert len(cloud.outbox()) == 5
    with functions.worker("sweep") as process:
        process.result()
