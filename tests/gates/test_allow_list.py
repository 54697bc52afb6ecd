"""A stage that is not production delivers to those on its list, and to nobody who only looks like them."""

import pytest
from django.core.checks import run_checks

from notifier.explaining.wording import words_of
from notifier.gates import allow_list
from notifier.models import Delivery
from project import look
from tests.support.builders import make_delivery, make_event, make_user
from tests.support.functions import bodies_for, invoke

pytestmark = pytest.mark.one_database

HOOK = "webhook:https://example.com/hooks/*"
ALLOWED = [
    # pattern, channel, address, whether it is delivered
    ("kim@example.com", "email", "kim@example.com", True),
    ("kim@example.com", "email", "KIM@Example.COM", True),
    ("Kim@Example.com", "email", "kim@example.com", True),
    (" kim@example.com ", "email", "kim@example.com", True),
    ("kim@example.com", "email", "kim+1@example.com", False),  # another address, to whoever reads it
    ("kim+*@example.com", "email", "kim+1@example.com", True),
    ("kim+*@example.com", "email", "kim@example.com", False),
    ("*@example.com", "email", "kim+1@example.com", True),
    ("*@example.com", "email", "kim@example.com.evil.org", False),
    ("*@example.com", "email", "kim@sub.example.com", False),
    ("*@example.com", "email", "kim@notexample.com", False),
    ("*@*.example.com", "email", "kim@sub.example.com", True),
    ("*@*.example.com", "email", "kim@example.com", False),
    ("*@example.com", "email", "eve@evil.org,kim@example.com", False),  # two addresses
    ("*@example.com", "email", "eve@evil.org;kim@example.com", False),
    ("*@example.com", "email", "eve@evil.org kim@example.com", False),
    ("*@example.com", "email", "eve@evil.org\nkim@example.com", False),
    ("*@example.com", "email", "kim@example.com\n", False),
    ("*@example.com", "email", "kim@example.com\nBcc: eve@evil.org", False),
    ("*@example.com", "email", "Kim <kim@example.com>", False),  # a name: no address, as the channel says too
    ("*@example.com", "email", "kim@example.com <eve@evil.org>", False),
    ("*@example.com", "email", "eve@evil.org (kim@example.com)", False),
    ("*@example.com", "email", '"eve@evil.org"@example.com', False),
    ("*@example.com", "email", "eve@evil.org@example.com", False),
    ("*@example.com", "email", "@evil.org:kim@example.com", False),  # a route of old
    ("*@example.com", "email", "@example.com", False),
    ("*@example.com", "email", "kim@ex\u0430mple.com", False),  # a Cyrillic a
    ("kim@example.com", "email", "\u212aim@example.com", False),  # the Kelvin sign, whose small letter is a k
    ("kim@example.com", "email", "k\u0131m@example.com", False),  # a dotless i
    ("kim@example.com", "email", "kim@example\u3002com", False),  # an ideographic full stop
    ("kim@example.com", "email", "kim@example.com\u200b", False),
    ("kim@ex\u00e4mple.com", "email", "kim@ex\u00e4mple.com", True),
    ("*@*", "email", "anybody@anywhere.org", True),
    ("*", "email", "kim@example.com", False),  # no pattern: None is everybody
    ("example.com", "email", "kim@example.com", False),
    ("", "email", "", False),
    ("kim@example.com", "email", "", False),
    ("kim.lee@example.com", "email", "kimxlee@example.com", False),  # a dot is a dot
    ("email:*@example.com", "email", "kim@example.com", True),
    ("email:*@example.com", "chat", "kim@example.com", False),
    ("+44 7400 123456", "sms", "+447400123456", True),
    ("+447400123456", "sms", "+44 (7400) 123-456", True),
    ("+447400123456", "sms", "0044 7400 123456", True),
    ("+447400123456", "sms", "07400 123456", False),  # of which country?
    ("+447400123456", "sms", "+447400123457", False),
    ("+447400123456", "sms", "+4474001234567", False),
    ("+447400123456", "sms", "+447400123456 ext. 5", False),
    ("+447400123456", "sms", "+\u0664\u0664\u0667\u0664\u0660\u0660123456", False),  # Arabic digits
    ("+44*", "sms", "+447400123456", True),
    ("+44*", "sms", "+4511223344", False),
    ("sms:+44*", "sms", "+447400123456", True),
    ("inbox:*", "inbox", "17", True),
    ("inbox:17", "inbox", "17", True),
    ("inbox:17", "inbox", "170", False),
    ("inbox:*", "email", "kim@example.com", False),
    ("*@*", "twitter", "@account", False),  # everybody reads it
    ("*@*", "twitter", "", False),
    ("twitter:@our_tests", "twitter", "@our_tests", True),
    ("twitter:@our_tests", "twitter", "@our_customers", False),
    ("@our_tests", "twitter", "@our_tests", False),  # its channel is not named
    (HOOK, "webhook", "https://example.com/hooks/1?x=2", True),
    (HOOK, "webhook", "HTTPS://EXAMPLE.com/hooks/1", True),
    (HOOK, "webhook", "https://example.com/HOOKS/1", False),
    (HOOK, "webhook", "http://example.com/hooks/1", False),
    (HOOK, "webhook", "https://example.com.evil.org/hooks/1", False),
    (HOOK, "webhook", "https://example.com@evil.org/hooks/1", False),
    (HOOK, "webhook", "https://evil.org/https://example.com/hooks/1", False),
    (HOOK, "webhook", "https://example.com:8443/hooks/1", False),
    (HOOK, "webhook", "https://example.com\\@evil.org/hooks/1", False),
    ("webhook:https://*.example.com/*", "webhook", "https://a.b.example.com/x", True),
    ("webhook:https://*.example.com/*", "webhook", "https://evil.org/.example.com/x", False),
    ("webhook:https://*.example.com/*", "webhook", "https://evil.org#.example.com/x", False),
    ("webhook:https://example.com*", "webhook", "https://example.com.evil.org/", False),  # no pattern
    ("https://example.com/*", "webhook", "https://example.com/x", False),  # its channel is not named
]


@pytest.mark.parametrize(("pattern", "channel", "address", "is_allowed"), ALLOWED)
def test_a_pattern_lets_through_what_is_plainly_alike(settings, pattern, channel, address, is_allowed):
    settings.NOTIFIER = settings.NOTIFIER | {"DELIVER_ONLY_TO": ["somebody@else.example", pattern]}
    assert allow_list.is_allowed(channel, address) == is_allowed


LISTS = [
    # the list, the stage, what is said
    (None, "production", ""),
    (
        [],
        "staging",
        'The stage “staging” delivers to nobody, as it has no list: see NOTIFIER["DELIVER_ONLY_TO"].',
    ),
    (["*@example.com"], "", 'This stage delivers only to *@example.com: see NOTIFIER["DELIVER_ONLY_TO"].'),
    (
        ["kim@example.com", "+4471", "*@example.com", "inbox:*", "+4472"],
        "staging",
        "The stage “staging” delivers only to *@example.com, inbox:*, kim@example.com and 2 "
        'more: see NOTIFIER["DELIVER_ONLY_TO"].',
    ),
]


@pytest.mark.parametrize(("patterns", "stage", "said"), LISTS)
def test_a_stage_says_to_whom_it_delivers(settings, patterns, stage, said):
    settings.NOTIFIER = settings.NOTIFIER | {"DELIVER_ONLY_TO": patterns, "STAGE": stage}
    assert allow_list.describe() == said


@pytest.mark.django_db(transaction=True)
def test_the_channels_own_function_keeps_back_who_is_not_on_the_list_whatever_the_fan_out_thought(
    cloud, gate, settings
):
    kim, eve = make_delivery(address="kim@example.com"), make_delivery(address="eve@evil.org")
    settings.NOTIFIER = settings.NOTIFIER | {"DELIVER_ONLY_TO": ["*@example.com"], "STAGE": "staging"}
    assert invoke("email", *bodies_for("email", [kim.pk, eve.pk])) == []
    kim.refresh_from_db()
    eve.refresh_from_db()
    assert (kim.status, eve.status, eve.reason, gate.sends()) == ("sent", "skipped", "not_on_allow_list", 1)
    assert (
        "this stage does not deliver to that address. The stage “staging” delivers only to *@example.com"
        in words_of(eve)
    )


@pytest.mark.django_db(transaction=True)
def test_without_a_list_a_stage_posts_nothing_and_the_fan_out_rings_for_nobody(cloud, gate, settings):
    make_user()
    post = make_delivery(channel="twitter")
    event = make_event()
    settings.NOTIFIER = settings.NOTIFIER | {"DELIVER_ONLY_TO": []}
    invoke("twitter", *bodies_for("twitter", [post.pk]))
    invoke("fanout", *bodies_for("fanout", [event.pk]))
    assert set(Delivery.objects.values_list("status", "reason")) == {("skipped", "not_on_allow_list")}
    assert gate.sends() == 0


CHECKED = [
    # the list, the ids of what `check --deploy` says of it
    (None, set()),
    (["*@example.com", "+44*", "inbox:*", HOOK], set()),
    ([], {"notifier.W006"}),
    (["*"], {"notifier.E008"}),
    (["Kim <kim@example.com>"], {"notifier.E008"}),
    (["https://example.com/*"], {"notifier.E008"}),
    (["webhook:https://example.com*"], {"notifier.E008"}),
    ([5], {"notifier.E008"}),
    ("*@example.com", {"notifier.E008"}),  # a string's letters are no list
]


@pytest.mark.django_db
@pytest.mark.parametrize(("patterns", "ids"), CHECKED)
def test_a_list_that_cannot_work_is_said_by_the_checks(settings, patterns, ids):
    settings.NOTIFIER = settings.NOTIFIER | {"DELIVER_ONLY_TO": patterns}
    found = {each.id for each in run_checks(include_deployment_checks=True)}
    assert found & {"notifier.E008", "notifier.W006"} == ids


BADGES = [
    (None, "production", ["Production", "danger"]),
    ([], "staging", ["Staging: delivers to nobody", "warning"]),
    (["*@example.com"], "staging", ["Staging: delivers only to *@example.com", "warning"]),
]


@pytest.mark.parametrize(("patterns", "stage", "badge"), BADGES)
def test_the_admin_says_beside_its_title_to_whom_the_stage_delivers(
    settings, monkeypatch, patterns, stage, badge
):
    monkeypatch.setattr(look, "LOCAL", False)
    settings.NOTIFIER = settings.NOTIFIER | {"DELIVER_ONLY_TO": patterns, "STAGE": stage}
    assert look.stage(None) == badge
