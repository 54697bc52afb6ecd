"""The outbox shows what was received, as a person would read it, and nothing in it can run or fetch."""

import boto3
import pytest
from django.core.mail import EmailMultiAlternatives

from lambdas import sms, twitter
from notifier.channels.message import Message
from notifier.local import outbox, outbox_pages

# The pages read no database, but every request opens a transaction.
pytestmark = [pytest.mark.one_database, pytest.mark.django_db]


@pytest.fixture
def received(cloud):
    """A mail, an SMS and a post, in this order."""
    mail = EmailMultiAlternatives("Größe & Form", "Hello, Ada", to=["Ada <ada@example.com>"])
    mail.attach_alternative("<p>Hello, <b>Ada</b> é</p>", "text/html")
    mail.send()
    with sms.open_session() as sns:
        sms.send(Message(delivery=1, attempt=1, address="+12065550123", text="Sale <now>"), sns)
    with twitter.open_session() as x:
        twitter.send(Message(delivery=2, attempt=1, address="", text="A post"), x)
    return cloud


def test_messages_are_read_back_whole_and_in_order(received):
    mail, text, post = received.outbox()

    assert (mail.channel, mail.recipient, mail.subject) == ("email", "Ada <ada@example.com>", "Größe & Form")
    assert (mail.text.strip(), mail.html.strip()) == ("Hello, Ada", "<p>Hello, <b>Ada</b> é</p>")
    assert (text.channel, text.recipient, text.text) == ("sms", "+12065550123", "Sale <now>")
    assert (post.channel, post.recipient, post.text) == ("twitter", "everyone", "A post")
    assert [message.order for message in received.outbox()] == [1, 2, 3]
    assert all(message.provider_id for message in received.outbox())
    assert mail.received_at <= text.received_at <= post.received_at


def test_emptying_forgets_them_and_what_is_in_the_queues(received):
    queue = received.queues["email"]
    sqs = boto3.client("sqs")
    for url in (queue.url, queue.dlq_url):
        sqs.send_message(QueueUrl=url, MessageBody="left over")

    received.empty()

    assert received.outbox() == []
    assert [sqs.receive_message(QueueUrl=url).get("Messages", []) for url in (queue.url, queue.dlq_url)] == [
        [],
        [],
    ]


def test_without_a_local_cloud_there_is_no_page(client, monkeypatch):
    monkeypatch.setattr(outbox, "current", None)

    assert client.get("/outbox/").status_code == 404
    assert client.get("/outbox/messages.json").status_code == 404


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", "A post</p>"),  # the newest
        ("?message=1", '<iframe sandbox src="/outbox/mails/1.html"'),  # HTML stands in a frame of its own
        ("?message=1&part=text", "<pre>Hello, Ada"),  # the same mail's text
        ("?message=2", "Sale &lt;now&gt;"),  # an SMS is text, whatever it looks like
        ("?channel=sms", "Sale &lt;now&gt;"),  # the newest of a channel
        ("?channel=sms&message=1", "Sale &lt;now&gt;"),  # a message of another channel is not in its list
        ("?message=99", "A post</p>"),  # gone: the newest
        ("?message=x&channel=nonsense", "Nothing here yet"),  # no such channel
    ],
)
def test_the_page_shows_one_message(client, received, query, shown):
    response = client.get(f"/outbox/{query}")

    assert response.status_code == 200
    assert shown in response.content.decode()


def test_each_channel_has_its_count(client, received):
    page = client.get("/outbox/").content.decode()

    for count in (
        "All <span>3</span>",
        "E-mail <span>1</span>",
        "SMS <span>1</span>",
        "Post on X <span>1</span>",
    ):
        assert count in page


def test_a_mails_html_is_framed_without_rights_under_a_policy_that_runs_and_fetches_nothing(client, received):
    page, mail = client.get("/outbox/?message=1"), client.get("/outbox/mails/1.html")

    assert "Hello, <b>Ada</b>" in mail.content.decode()
    assert "Hello, <b>Ada</b>" not in page.content.decode()
    for answer in page, mail:
        assert "script-src" not in answer["Content-Security-Policy"]
        assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "unsafe" not in page["Content-Security-Policy"]
    policy = dict(part.partition(" ")[::2] for part in mail["Content-Security-Policy"].split("; "))
    assert (policy["img-src"], policy["sandbox"], policy["frame-ancestors"]) == ("data:", "", "'self'")


@pytest.mark.parametrize("order", [0, 2, 3, 99])
def test_what_is_no_mail_has_no_frame(client, received, order):
    assert client.get(f"/outbox/mails/{order}.html").status_code == 404


def test_a_long_list_names_how_many_are_left_out(client, received, monkeypatch):
    monkeypatch.setattr(outbox_pages, "MOST_LISTED", 1)

    assert "and 2 older" in client.get("/outbox/").content.decode()


def test_the_json_has_every_message(client, received):
    assert [message["channel"] for message in client.get("/outbox/messages.json").json()] == [
        "email",
        "sms",
        "twitter",
    ]


def test_it_cannot_be_written_to(client, received):
    assert client.post("/outbox/").status_code == 405
