"""SMS go to valid numbers that did not opt out, and each of SNS's answers becomes the right one of ours."""

import logging
from contextlib import suppress
from threading import Event
from urllib.parse import parse_qs

import pytest
from werkzeug.wrappers import Response

from lambdas import _sms_sns, sms
from lambdas._sms_parts import Parts, count_parts
from notifier.exceptions import OutcomeUnknown, Rejected, Skipped, TryAgain
from notifier.local.server import LoopbackServer
from tests.support.patience import PATIENCE_SECONDS, STANDSTILL_SECONDS, wait_until

# The outbox that is looked into shows people's inboxes too.
pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

NUMBER = "+12065550123"
OPTED_OUT = "+12065550199"  # moto: every number that ends in 99
QUESTION = "CheckIfPhoneNumberIsOptedOut"
ANSWERS = {
    QUESTION: f"""<{QUESTION}Response xmlns="http://sns.amazonaws.com/doc/2010-03-31/">
<{QUESTION}Result><isOptedOut>false</isOptedOut></{QUESTION}Result></{QUESTION}Response>""",
    "Publish": """<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">
<PublishResult><MessageId>the-id</MessageId></PublishResult></PublishResponse>""",
}
# SNS repeats the number in its own words, which must not come any further.
ERROR = (
    f"<ErrorResponse><Error><Code>{{code}}</Code><Message>Invalid: {NUMBER}</Message></Error></ErrorResponse>"
)


@pytest.fixture
def send(cloud):
    """``send(message)`` through a session of its own, as the environment then is; the time-outs can be
    short.
    """

    def send(message, **timeouts):
        with sms.open_session(**timeouts) as session:
            return sms.send(message, session)

    return send


@pytest.fixture
def answering(monkeypatch):
    """``answering(code, status, to=action)``: an SNS that answers that action with that error; without a code
    it falls silent there. Nobody has opted out. Returns the list of actions it was asked for.
    """
    over = Event()
    servers = []

    def start(code="", status=0, *, to):
        def app(environ, start_response):
            body = parse_qs(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode())
            actions.extend(body["Action"])
            if actions[-1] != to:
                return Response(ANSWERS[actions[-1]], content_type="text/xml")(environ, start_response)
            if not code:
                over.wait(PATIENCE_SECONDS)
            return Response(ERROR.format(code=code), status or 500, content_type="text/xml")(
                environ, start_response
            )

        actions = []
        servers.append(LoopbackServer(app, name="An SNS that fails"))
        servers[-1].start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", servers[-1].url)
        return actions

    yield start
    over.set()
    for server in servers:
        server.stop()


@pytest.mark.parametrize(
    ("address", "number"),
    [
        ("+12065550123", "+12065550123"),  # as SNS wants it
        ("+1 (206) 555-0123", "+12065550123"),  # as people write it
        ("+44 (0)7911 123456", "+447911123456"),  # as letterheads print it
        (" +1 206 555 0100 ", "+12065550100"),  # pasted with blanks
    ],
)
def test_a_number_in_international_form_gets_the_text(cloud, send, make_message, address, number):
    provider_id = send(make_message(address=address, text="Sale! 20 % off · £5"))

    (received,) = cloud.outbox()
    assert (received.channel, received.recipient, received.text) == ("sms", number, "Sale! 20 % off · £5")
    assert received.provider_id == provider_id


@pytest.mark.parametrize(
    "address",
    [
        "",  # nothing
        "07911 123456",  # a national form: which country?
        "+44 7911",  # too short
        "+999 123456789",  # no such country
        "+447911123456 ext. 5",  # an extension cannot be reached by SMS
        "+44791112345678",  # too long
        "ada@example.com",  # an address of another channel
        "+1" * 300,  # longer than any number
        "+44 7700 900123",  # a number set aside for films
    ],
)
def test_an_address_that_is_no_number_is_skipped(cloud, send, make_message, address):
    with pytest.raises(Skipped) as caught:
        send(make_message(address=address))
    assert caught.value.reason == "invalid_address"
    assert cloud.outbox() == []


def test_a_number_that_opted_out_is_skipped(cloud, send, make_message):
    with pytest.raises(Skipped) as caught:
        send(make_message(address=OPTED_OUT))
    assert caught.value.reason == "opted_out"
    assert cloud.outbox() == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),  # the template has no text
        (" \n", "empty"),  # as good as nothing
        ("a" * 1601, "too_long"),  # one more than SNS takes
    ],
)
def test_a_text_that_sns_would_refuse_is_not_sent_there(cloud, send, make_message, text, reason):
    with pytest.raises(Rejected) as caught:
        send(make_message(address=NUMBER, text=text))
    assert caught.value.reason == reason
    assert cloud.outbox() == []


def test_the_longest_text_is_sent_whole(cloud, send, make_message):
    send(make_message(address=NUMBER, text="a" * 1600))

    assert cloud.outbox()[0].text == "a" * 1600


@pytest.mark.parametrize(
    ("text", "encoding", "characters", "parts"),
    [
        ("", "GSM-7", 0, 1),  # not sent, but counted all the same
        ("a" * 160, "GSM-7", 160, 1),  # just one
        ("a" * 161, "GSM-7", 161, 2),  # one more, and every part loses seven
        ("a" * 306, "GSM-7", 306, 2),  # two full parts
        ("a" * 307, "GSM-7", 307, 3),  # and one more
        ("Grüße für 5 £, señor @ñÅΩ", "GSM-7", 25, 1),  # more than ASCII is in the alphabet
        ("€" * 80, "GSM-7", 160, 1),  # the euro takes two
        ("€" * 81, "GSM-7", 162, 2),  # so that 81 are too many
        ("a" * 152 + "€" + "a" * 153, "GSM-7", 307, 3),  # it is not cut in two: a septet is lost
        ("a`", "UCS-2", 2, 1),  # the grave accent is not in the alphabet
        ("ç", "UCS-2", 1, 1),  # the capital one is, the small one is not
        ("я" * 70, "UCS-2", 70, 1),  # just one
        ("я" * 71, "UCS-2", 71, 2),  # one more, and every part loses three
        ("🎉" * 35, "UCS-2", 70, 1),  # an emoji takes two
        ("я" * 66 + "🎉" + "я" * 66, "UCS-2", 134, 3),  # and is not cut in two either
    ],
)
def test_parts_are_counted_as_phones_take_them(text, encoding, characters, parts):
    assert count_parts(text) == Parts(encoding=encoding, characters=characters, parts=parts)


@pytest.mark.parametrize(
    ("code", "status", "error", "reason"),
    [
        ("OptedOut", 400, Skipped, "opted_out"),  # since we asked
        ("InvalidParameter", 400, Rejected, "refused"),  # a number or text that SNS does not like
        ("AuthorizationError", 403, Rejected, "unauthorized"),  # the role may not send
        ("SignatureDoesNotMatch", 403, Rejected, "unauthorized"),  # the key is wrong
        ("ExpiredToken", 403, TryAgain, "credentials_expired"),  # the next call has new credentials
        ("Throttled", 429, TryAgain, "throttled"),  # SNS's own word
        ("Throttling", 400, TryAgain, "throttled"),  # the word of all of AWS
        ("BrandNewError", 400, Rejected, "refused"),  # one nobody foresaw
        ("InternalError", 500, OutcomeUnknown, "provider_failed"),  # may have failed after it sent
        ("ServiceUnavailable", 503, OutcomeUnknown, "provider_failed"),  # a gateway's answer says nothing
    ],
)
def test_each_answer_to_publish_becomes_ours_after_one_request(
    send, make_message, answering, code, status, error, reason
):
    actions = answering(code, status, to="Publish")

    with pytest.raises(error) as caught:
        send(make_message(address=NUMBER))
    assert type(caught.value) is error
    assert caught.value.reason == reason
    assert actions == [QUESTION, "Publish"]


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("Throttled", 429, TryAgain),  # asked too often
        ("InternalError", 500, TryAgain),  # a question that failed sent nothing
        ("InvalidParameter", 400, Rejected),  # it would be refused as well
    ],
)
def test_nothing_is_sent_while_the_question_has_no_answer(send, make_message, answering, code, status, error):
    actions = answering(code, status, to=QUESTION)

    with pytest.raises(error) as caught:
        send(make_message(address=NUMBER))
    assert type(caught.value) is error
    assert actions == [QUESTION]


@pytest.mark.parametrize("code", ["AuthorizationError", "AccessDenied", "AccessDeniedException"])
def test_a_question_that_is_refused_keeps_nothing_back_and_is_said_once(
    send, make_message, answering, caplog, code
):
    _sms_sns._say_that_nobody_is_asked.cache_clear()
    actions = answering(code, 403, to=QUESTION)

    assert [send(make_message(address=NUMBER)) for _ in range(2)] == ["the-id"] * 2
    assert actions == [QUESTION, "Publish"] * 2
    (said,) = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert "sms-voice:DescribeOptedOutNumbers" in said.getMessage()
    assert NUMBER not in said.getMessage()


def test_nobody_listening_means_nothing_was_sent(send, make_message, monkeypatch, closed_url):
    monkeypatch.setenv("AWS_ENDPOINT_URL", closed_url)

    with pytest.raises(TryAgain) as caught:
        send(make_message(address=NUMBER))
    assert caught.value.reason == "unreachable"


def test_a_question_that_is_never_answered_sent_nothing(send, make_message, monkeypatch, silent_url):
    monkeypatch.setenv("AWS_ENDPOINT_URL", silent_url)

    with pytest.raises(TryAgain) as caught:
        send(make_message(address=NUMBER), read_seconds=0.2)
    assert caught.value.reason == "timeout"


def test_a_publish_that_is_never_answered_leaves_the_outcome_unknown(send, make_message, answering):
    actions, read_seconds = answering(to="Publish"), 0.2

    with pytest.raises(OutcomeUnknown) as caught:
        while read_seconds < STANDSTILL_SECONDS:
            # The same time-out is the question's, for which a busy machine may need longer.
            with suppress(TryAgain):
                read_seconds *= 2
                del actions[:]
                send(make_message(address=NUMBER), read_seconds=read_seconds)
    assert caught.value.reason == "timeout"
    wait_until(lambda: len(actions) > 1, "the message has come")
    assert actions == [QUESTION, "Publish"]


def test_neither_log_nor_error_holds_the_number_or_the_text(send, make_message, answering, caplog):
    caplog.set_level(logging.DEBUG)
    send(make_message(address=NUMBER, text="Of nobody's business"))
    answering("InvalidParameter", 400, to="Publish")
    with pytest.raises(Rejected) as caught:
        send(make_message(address=NUMBER, text="Of nobody's business"))
    with pytest.raises(Skipped) as skipped:
        send(make_message(address=NUMBER[2:], text="Of nobody's business"))

    seen = caplog.text + caught.value.detail + skipped.value.detail
    assert caplog.records, "nothing was logged, so nothing was looked at"
    assert [word for word in ("nobody", "business", NUMBER[2:]) if word in seen] == []
