"""What a function does when Lambda restores it from a snapshot, by AWS's own runner of such hooks."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import boto3
import pytest
import snapshot_restore_py
from awslambdaric.lambda_runtime_hooks_runner import run_after_restore, run_before_snapshot
from django.db import connection

from notifier.deploy import snapshots
from notifier.events.index import index
from tests.deploy.conftest import FUNCTION

HOUSE = Path(__file__).parents[2]
OLD, NEW = "the-key-of-the-snapshot-" * 3, "the-key-of-today-" * 4
# A function that becomes a snapshot; then somebody changes a secret, and time passes.
LIFE = """
import sys, time
import lambdas.sweep
from awslambdaric.lambda_runtime_hooks_runner import run_after_restore, run_before_snapshot
from django.conf import settings
from django.db import connection

run_before_snapshot()
import boto3
ssm = boto3.client("ssm")
{change}
real = time.time
time.time = lambda: real() + {seconds}
run_after_restore()
print(settings.SECRET_KEY[:16], connection.settings_dict["PASSWORD"], connection.settings_dict["TIME_ZONE"])
"""
CHANGE = f"""
for name, value in [("SECRET_KEY", {NEW!r}), ("DATABASE_URL", "postgres://u:new@h/n")]:
    ssm.put_parameter(Name="/snap/" + name, Value=value, Type="SecureString", Overwrite=True)
"""


@pytest.fixture
def hooks(monkeypatch):
    """Those of this process; what other tests have registered is not called."""
    for name in ("_before_snapshot_registry", "_after_restore_registry"):
        monkeypatch.setattr(snapshot_restore_py, name, [])
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
    snapshots.follow()


@pytest.mark.parametrize("kind", ["on-demand", "provisioned-concurrency", None])
def test_a_process_that_becomes_no_snapshot_follows_none(hooks, monkeypatch, kind):
    count = len(snapshot_restore_py.get_after_restore())
    monkeypatch.delenv("AWS_LAMBDA_INITIALIZATION_TYPE")
    if kind:
        monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", kind)
    snapshots.follow()
    assert len(snapshot_restore_py.get_after_restore()) == count == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("run", [run_before_snapshot, run_after_restore])
def test_no_connection_is_in_a_snapshot_nor_after_it(hooks, run):
    connection.ensure_connection()
    run()
    assert connection.connection is None


def test_two_copies_of_one_snapshot_draw_other_numbers_and_look_at_the_rules_anew(hooks):
    snapshot, drawn = random.getstate(), []
    for _ in range(2):
        random.setstate(snapshot)
        index.checked_at = time.monotonic()
        run_after_restore()
        drawn.append(random.random())
        assert not index.is_loaded
        assert index.checked_at < 0
    assert drawn[0] != drawn[1]


def restored(cloud, *, seconds, change=CHANGE):
    """What a function has after a restore so many seconds after its start, and its log."""
    ssm = boto3.client("ssm")
    for name, value in {"SECRET_KEY": OLD, "DATABASE_URL": "postgres://u:old@h/n"}.items():
        ssm.put_parameter(Name=f"/snap/{name}", Value=value, Type="SecureString", Overwrite=True)
    own = {name: value for name, value in os.environ.items() if name not in FUNCTION}
    environment = own | {name: FUNCTION[name] for name in FUNCTION.keys() - {"SECRET_KEY", "DATABASE_URL"}}
    environment |= {
        "AWS_REGION": ssm.meta.region_name,
        "AWS_DEFAULT_REGION": ssm.meta.region_name,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
        "SECRETS": "SECRET_KEY,DATABASE_URL",
        "SECRETS_PATH": "/snap",
    }
    done = subprocess.run(
        [sys.executable, "-c", LIFE.format(change=change, seconds=seconds)],
        cwd=HOUSE, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split(), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("seconds", "key", "password"),
    [
        (0, OLD, "old"),
        (snapshots.SECRETS_SECONDS - 600, OLD, "old"),  # as old as another function's may be
        (snapshots.SECRETS_SECONDS + 600, NEW, "new"),
        (14 * 86400, NEW, "new"),
    ],
)
def test_secrets_that_are_old_are_read_again(session_cloud, seconds, key, password):
    found, log = restored(session_cloud, seconds=seconds)
    assert found == [key[:16], password, "None"]
    assert NEW not in log


def test_where_they_cannot_be_read_the_old_ones_are_used_on_and_it_is_said(session_cloud):
    nobody = 'import os; os.environ["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"'
    found, log = restored(session_cloud, seconds=86400, change=nobody)
    assert found == [OLD[:16], "old", "None"]
    assert "The secrets of the snapshot are used on." in log
