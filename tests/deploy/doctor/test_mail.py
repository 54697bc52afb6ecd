"""SES: the sender, its signature, and what the account may send."""

import boto3
import pytest

from notifier.deploy.doctor.findings import Severity
from tests.deploy.doctor.conftest import DOMAIN, only, verify

SENDER, ACCOUNT = "the SES sender", "the SES account"


def forget(*names):
    for name in names:
        boto3.client("sesv2").delete_email_identity(EmailIdentity=name)


def test_a_sender_that_ses_does_not_know_is_an_error_until_its_domain_is_made_known_and_verified(
    account, visit
):
    forget(DOMAIN)

    finding = only(visit(SENDER))
    assert finding.severity is Severity.ERROR
    assert f"news@{DOMAIN}" in finding.what
    assert f"aws sesv2 create-email-identity --email-identity {DOMAIN}" in finding.remedy

    boto3.client("sesv2").create_email_identity(EmailIdentity=DOMAIN)
    finding = only(visit(SENDER))
    assert "not verified" in finding.what
    assert f"aws sesv2 get-email-identity --email-identity {DOMAIN}" in finding.remedy

    verify(DOMAIN)
    assert visit(SENDER) == []


def test_an_address_that_is_not_verified_is_an_error_until_its_owner_clicks(account, visit):
    forget(DOMAIN)
    boto3.client("sesv2").create_email_identity(EmailIdentity=f"news@{DOMAIN}")

    finding = only(visit(SENDER))
    assert finding.severity is Severity.ERROR
    assert f"news@{DOMAIN}" in finding.what
    assert "Click" in finding.remedy

    verify(f"news@{DOMAIN}")
    assert "not signed" in only(visit(SENDER)).what  # works; but a domain is better


def test_an_address_alone_is_a_warning_until_its_domain_is_verified(account, visit):
    forget(DOMAIN)
    boto3.client("sesv2").create_email_identity(EmailIdentity=f"news@{DOMAIN}")
    verify(f"news@{DOMAIN}")

    finding = only(visit(SENDER))
    assert finding.severity is Severity.WARNING
    assert f"--email-identity {DOMAIN}" in finding.remedy

    boto3.client("sesv2").create_email_identity(EmailIdentity=DOMAIN)
    verify(DOMAIN)
    assert visit(SENDER) == []


def test_a_domain_covers_its_subdomains(account, visit, settings_file):
    variables = {"DEFAULT_FROM_EMAIL": f"news@mail.{DOMAIN}"}
    boto3.client("lambda").update_function_configuration(
        FunctionName=account.web.name, Environment={"Variables": variables}
    )

    assert visit(SENDER) == []


def test_mails_that_are_not_signed_are_a_warning_until_the_records_are_published(account, visit):
    forget(DOMAIN)
    boto3.client("sesv2").create_email_identity(EmailIdentity=DOMAIN)
    verify(DOMAIN, dkim="PENDING")

    finding = only(visit(SENDER))
    assert finding.severity is Severity.WARNING
    assert "PENDING" in finding.what
    assert "CNAME" in finding.remedy

    verify(DOMAIN)
    assert visit(SENDER) == []


def test_a_sender_that_is_no_address_is_an_error(account, visit):
    boto3.client("lambda").update_function_configuration(
        FunctionName=account.web.name, Environment={"Variables": {"DEFAULT_FROM_EMAIL": "nobody"}}
    )

    assert "DEFAULT_FROM_EMAIL" in only(visit(SENDER)).remedy


QUOTA = {"Max24HourSend": 200.0, "MaxSendRate": 1.0}


@pytest.mark.parametrize(
    ("wrong", "severity", "what", "remedy"),
    [
        ({"ProductionAccessEnabled": False}, Severity.WARNING, "sandbox", "Request production access"),
        (
            {"SendingEnabled": False},
            Severity.ERROR,
            "paused",
            "aws sesv2 put-account-sending-attributes --sending-enabled",
        ),
        ({"EnforcementStatus": "PROBATION"}, Severity.WARNING, "PROBATION", "answer AWS's case"),
        ({"EnforcementStatus": "SHUTDOWN"}, Severity.ERROR, "SHUTDOWN", "answer AWS's case"),
        (
            {"SendQuota": {**QUOTA, "SentLast24Hours": 160.0}},
            Severity.WARNING,
            "160 of the 200",
            "Service Quotas",
        ),
        (
            {"SendQuota": {**QUOTA, "SentLast24Hours": 200.0}},
            Severity.ERROR,
            "200 of the 200",
            "Service Quotas",
        ),
    ],
)
def test_what_keeps_the_account_from_sending_is_said_until_it_is_gone(
    edge, visit, account, wrong, severity, what, remedy
):
    healthy = {key: edge.account[key] for key in wrong}
    edge.account |= wrong

    finding = only(visit(ACCOUNT))
    assert finding.severity is severity
    assert what in finding.what
    assert remedy in finding.remedy

    edge.account |= healthy
    assert visit(ACCOUNT) == []


@pytest.mark.parametrize(
    "quota", [{**QUOTA, "SentLast24Hours": 159.0}, {"Max24HourSend": -1.0, "SentLast24Hours": 1e6}]
)
def test_a_quota_with_room_or_without_a_limit_is_fine(edge, visit, account, quota):
    edge.account["SendQuota"] = quota
    assert visit(ACCOUNT) == []
