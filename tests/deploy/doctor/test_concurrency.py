"""How many functions the account lets run at once."""

from notifier.deploy.doctor.findings import Severity
from notifier.local.lambda_account import QUOTA
from tests.deploy.doctor.conftest import REGION, only

ABOUT = "the account's concurrency"


def test_an_account_that_allows_too_few_is_a_warning_until_it_allows_more(account, visit, monkeypatch):
    monkeypatch.setenv(QUOTA, "10")
    finding = only(visit(ABOUT))
    assert finding.severity is Severity.WARNING
    assert f"allows 10 functions at a time in {REGION}" in finding.what
    assert "--quota-code L-B99A9384" in finding.remedy
    assert f"--region {REGION}" in finding.remedy

    monkeypatch.setenv(QUOTA, "1000")
    assert visit(ABOUT) == []
