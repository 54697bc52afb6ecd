"""AWS End User Messaging's sandbox, spend limit and senders, where it sends the SMS."""

import pytest
from botocore.exceptions import ClientError

from notifier.deploy.doctor.failures import explain
from notifier.deploy.doctor.findings import Severity
from tests.deploy.doctor.conftest import only

pytestmark = pytest.mark.one_database

LIMIT, SANDBOX, SENDER = "the SMS spend limit", "the SMS sandbox", "the SMS sender"
POOL = {"PoolId": "pool-0a1b", "PoolArn": "arn:aws:sms-voice:us-east-1:123456789012:pool/pool-0a1b"}
NUMBER = {"PhoneNumber": "+12065550100", "PhoneNumberId": "phone-0a1b", "Status": "ACTIVE"}


@pytest.fixture
def sms_voice(edge, account, settings_file):
    """What it tells of an account in which nothing is wrong."""
    settings_file.edit("production_sms", aws_environment_variables={"SMS_DRIVER": "aws"})
    edge.sms_voice.pools = [POOL | {"Status": "ACTIVE"}]
    return edge.sms_voice


def test_where_nothing_is_wrong_nothing_is_said(sms_voice, visit):
    assert [visit(each) for each in (LIMIT, SANDBOX, SENDER)] == [[], [], []]


def test_the_sandbox_is_a_warning_until_the_account_has_left_it(sms_voice, visit):
    sms_voice.tier = "SANDBOX"
    finding = only(visit(SANDBOX))
    assert finding.severity is Severity.WARNING
    assert "Request production access" in finding.remedy
    sms_voice.tier = "PRODUCTION"
    assert visit(SANDBOX) == []


def test_the_limit_of_a_new_account_is_a_warning_until_it_is_raised(sms_voice, visit):
    sms_voice.spend_limit = 1
    finding = only(visit(LIMIT))
    assert finding.severity is Severity.WARNING
    assert "set-text-message-spend-limit-override --monthly-limit 50" in finding.remedy
    sms_voice.spend_limit = 50
    assert visit(LIMIT) == []


def test_an_account_without_a_sender_is_an_error_until_it_has_one(sms_voice, visit):
    sms_voice.pools = []
    finding = only(visit(SENDER))
    assert finding.severity is Severity.ERROR
    assert "request a phone number" in finding.remedy
    sms_voice.numbers = [NUMBER]
    assert visit(SENDER) == []


@pytest.mark.parametrize("named", [*POOL.values(), *list(NUMBER.values())[:2], "Shop"])
def test_a_sender_that_is_named_has_to_be_there(sms_voice, visit, settings_file, named):
    variables = {"SMS_DRIVER": "aws", "SMS_ORIGINATION_IDENTITY": named}
    settings_file.edit("production_sms", aws_environment_variables=variables)
    sms_voice.pools = []
    finding = only(visit(SENDER))
    assert finding.severity is Severity.ERROR
    assert f"names {named}" in finding.what
    sms_voice.pools, sms_voice.numbers, sms_voice.senders = [POOL], [NUMBER], [{"SenderId": "Shop"}]
    assert visit(SENDER) == []


def test_a_sender_that_is_not_in_use_is_an_error(sms_voice, visit, settings_file):
    variables = {"SMS_DRIVER": "aws", "SMS_ORIGINATION_IDENTITY": "+12065550100"}
    settings_file.edit("production_sms", aws_environment_variables=variables)
    sms_voice.numbers = [NUMBER | {"Status": "PENDING"}]
    assert "is PENDING" in only(visit(SENDER)).what


@pytest.mark.parametrize(
    ("code", "words"), [("AccessDeniedException", "may not call"), ("ThrottlingException", "later")]
)
@pytest.mark.parametrize("about", [LIMIT, SANDBOX, SENDER])
def test_why_there_is_no_answer_is_known(sms_voice, visit, about, code, words):
    sms_voice.refuse_all(code)
    with pytest.raises(ClientError) as refused:
        visit(about)
    reason, _remedy = explain(refused.value)
    assert words in reason


def test_where_sns_sends_it_is_not_asked(edge, account, visit):
    edge.sms_voice.refuse_all("AccessDeniedException")
    assert visit(SENDER) == []
