"""The cost of a signal that fires all the time is measured where it would be paid, and said before."""

import time
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError

from notifier.events import firings
from notifier.explaining import firing_cost
from notifier.models import Event

pytestmark = pytest.mark.django_db

FILE = """\
version: 1
triggers:
  Requests: {signal: request_started}
  Quiet: {signal: request_finished, enabled: false}
  Posts: {signal: post_save, model: demo.post}
"""


@pytest.fixture
def measured():
    """Measures anew: a process does it once."""
    yield firing_cost.measured.__wrapped__
    firing_cost.measured.cache_clear()


def test_measuring_takes_little_and_leaves_nothing_behind(measured):
    started = time.perf_counter()
    cost = measured()
    assert 0 < cost.passed < cost.stored < time.perf_counter() - started
    assert not Event.objects.exists()


def test_it_is_the_work_of_a_firing_that_is_measured(measured, monkeypatch):
    fired = []
    monkeypatch.setattr(firings, "record_firing", lambda *firing: fired.append(firing))
    measured()
    assert len(fired) == firing_cost.FIRINGS * firing_cost.ROUNDS


def test_where_the_database_takes_no_event_the_rest_is_said(monkeypatch):
    def refuse():
        raise DatabaseError

    monkeypatch.setattr(firing_cost, "_insert_one", refuse)
    firing_cost.measured.cache_clear()
    assert firing_cost.describe("request_started").endswith("ms.")
    assert "stored" not in firing_cost.describe("request_started")
    firing_cost.measured.cache_clear()


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_an_import_says_it_of_the_rules_that_are_on(tmp_path, options):
    """A file is the operator's, who may do all, and is told as well."""
    path, err = tmp_path / "rules.yaml", StringIO()
    path.write_text(FILE)
    call_command("rules", "import", str(path), *options, stdout=StringIO(), stderr=err)
    assert err.getvalue() == f"“Requests”: {firing_cost.describe('request_started')}\n"
