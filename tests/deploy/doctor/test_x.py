"""X: are the keys there, known and allowed to post. Nothing is posted."""

import boto3
import pytest

from notifier.deploy.doctor.findings import Severity
from notifier.local.cloud import X_KEYS
from tests.deploy.doctor.conftest import only, put_secret

KEYS = "the keys of X"


@pytest.fixture
def x(session_cloud):
    session_cloud.x.reset()
    yield session_cloud.x
    assert session_cloud.x.posts == []
    session_cloud.x.reset()


def test_keys_that_are_missing_are_an_error_until_they_are_stored(account, x, visit):
    boto3.client("ssm").delete_parameters(
        Names=["/shop-production/X_ACCESS_TOKEN", "/shop-production/X_CONSUMER_KEY"]
    )

    finding = only(visit(KEYS))
    assert finding.severity is Severity.ERROR
    assert "X_CONSUMER_KEY, X_ACCESS_TOKEN" in finding.what
    assert (
        "aws ssm put-parameter --type SecureString --overwrite --name /shop-production/X_ACCESS_TOKEN"
        in finding.remedy
    )

    for name in ("X_ACCESS_TOKEN", "X_CONSUMER_KEY"):
        put_secret(f"/shop-production/{name}", X_KEYS[name])
    assert visit(KEYS) == []


def test_keys_that_x_refuses_are_an_error_until_others_are_stored(account, x, visit):
    put_secret("/shop-production/X_ACCESS_TOKEN_SECRET", "an-old-one-that-was-revoked")

    finding = only(visit(KEYS))
    assert finding.severity is Severity.ERROR
    assert "401" in finding.what
    assert "/shop-production/X_ACCESS_TOKEN_SECRET" in finding.remedy
    assert "revoked" not in f"{finding}"

    put_secret("/shop-production/X_ACCESS_TOKEN_SECRET", X_KEYS["X_ACCESS_TOKEN_SECRET"])
    assert visit(KEYS) == []


def test_keys_that_may_only_read_are_an_error_until_they_may_write(account, x, visit):
    x.access_level = "read"
    finding = only(visit(KEYS))
    assert finding.severity is Severity.ERROR
    assert "Read and write" in finding.remedy

    x.access_level = "read-write"
    assert visit(KEYS) == []


@pytest.mark.parametrize("refusal", [(402,), (403, "SpendCapReached")])
def test_an_account_without_credit_is_an_error_until_it_has_some(account, x, visit, refusal):
    x.fail_next(*refusal)
    finding = only(visit(KEYS))
    assert finding.severity is Severity.ERROR
    assert "console.x.com" in finding.remedy
    assert visit(KEYS) == []


@pytest.mark.parametrize("status", [429, 503])
def test_an_x_that_has_no_time_says_nothing_about_the_keys(account, x, visit, status):
    x.fail_next(status)
    finding = only(visit(KEYS))
    assert finding.severity is Severity.UNCHECKED
    assert str(status) in finding.what


def test_an_x_that_does_not_answer_says_nothing_about_the_keys(account, visit, monkeypatch):
    monkeypatch.setenv("X_API_URL", "http://127.0.0.1:1")
    assert only(visit(KEYS)).severity is Severity.UNCHECKED


def test_without_a_stage_the_keys_are_those_of_this_process(edge, x, visit, monkeypatch):
    assert visit(KEYS, stage="") == []

    monkeypatch.delenv("X_CONSUMER_KEY")
    finding = only(visit(KEYS, stage=""))
    assert finding.what == "Keys of X are missing: X_CONSUMER_KEY."
    assert finding.remedy == "export X_CONSUMER_KEY=…"
