"""What keeps pushes from getting out is found before the first of them."""

import boto3
import pytest

from notifier.deploy.doctor.findings import Severity
from tests.deploy.doctor.conftest import only

pytestmark = pytest.mark.one_database

APPLICATIONS = "the applications of push"


@pytest.fixture
def application(edge, monkeypatch):
    arn = edge.application
    monkeypatch.setenv("PUSH_APPLICATIONS", arn)
    return arn


def test_an_application_that_is_there_and_on_is_no_finding(application, visit):
    assert visit(APPLICATIONS, stage="") == []


@pytest.mark.parametrize(
    ("named", "severity", "words"),
    [
        ("", Severity.WARNING, "No platform application is named"),
        ("arn:aws:sns:eu-west-1:123456789012:app/GCM/gone", Severity.ERROR, "SNS has no application"),
    ],
)
def test_one_that_is_missing_is_named(edge, visit, monkeypatch, named, severity, words):
    monkeypatch.setenv("PUSH_APPLICATIONS", named)
    finding = only(visit(APPLICATIONS, stage=""))
    assert finding.severity is severity
    assert words in finding.what
    assert "PUSH_APPLICATIONS" in finding.remedy


@pytest.mark.parametrize(
    ("attributes", "severity", "words"),
    [
        ({"Enabled": "false"}, Severity.ERROR, "switched off"),
        ({"AppleCertificateExpiryDate": "2020-01-01T00:00:00Z"}, Severity.WARNING, "ends on 2020-01-01"),
    ],
)
def test_one_that_is_off_or_soon_will_be_is_said(application, visit, attributes, severity, words):
    boto3.client("sns").set_platform_application_attributes(
        PlatformApplicationArn=application, Attributes=attributes
    )
    finding = only(visit(APPLICATIONS, stage=""))
    assert (finding.severity, words in finding.what) == (severity, True)
