"""A channel is one file: what only it needs it declares there, and the pipeline goes by it.

``tests/toy_channels/pigeon.py`` declares all that there is.
"""

from contextlib import nullcontext

import pytest
from django.core.exceptions import ValidationError
from django.db import models

from notifier.admin.setup import insertables, page_choices
from notifier.channels import registry
from notifier.channels.constants import defines
from notifier.explaining import explain
from notifier.explaining.people import person_of
from notifier.gates import channels_own
from notifier.inbox.items import add_item, mark_all_read
from notifier.models import Delivery, Subscription
from notifier.people.addresses import reachable
from project.demo.models import Post
from tests.support.builders import make_trigger, make_user
from tests.support.flowing import by_channel, fan_out, flowing_event, let_flow, send, sweep

pytestmark = pytest.mark.django_db
BOTH = ("mail", "pigeon")


@pytest.fixture(autouse=True)
def toys(settings):
    settings.NOTIFIER = settings.NOTIFIER | {
        "CHANNELS_PACKAGE": "tests.toy_channels",
        "ADDRESSES": {"mail": "email"},
    }


@pytest.fixture
def lofts():
    return [make_user(last_name=name) for name in ("North loft", "Closed loft", "")]


def test_people_are_found_by_the_address_that_the_channel_declares_and_stopped_by_its_own_gate(lofts):
    fan_out(flowing_event(channels=["pigeon"], users=lofts))
    found = Delivery.objects.order_by("pk").values_list("address", "status", "reason", "detail")
    assert list(found) == [
        ("North loft", "queued", "", ""),
        ("Closed loft", "skipped", "loft_closed", "No pigeon lands there."),
        ("", "skipped", "no_address", ""),
    ]


def test_what_the_settings_name_comes_before_what_the_channel_declares(settings):
    assert registry.addresses() == {"pigeon": "last_name", "mail": "email"}
    settings.NOTIFIER = settings.NOTIFIER | {"ADDRESSES": {"pigeon": "profile.phone"}}
    assert registry.addresses() == {"pigeon": "profile.phone"}


def test_who_is_counted_beforehand_is_whom_the_gate_lets_through(lofts):
    users = type(lofts[0])._default_manager.all()
    assert list(reachable(users, "pigeon")) == lofts[:1]
    make_trigger(contents={"pigeon": {"text": "."}}, channels=["pigeon"])
    answers = {}
    for user in lofts:
        [answers[user.last_name]] = explain(person_of(user), Post.objects.create(title="Corn"))
    assert [answer.deciding.title for answer in answers.values()] == [
        "Sending",
        "The channel’s own rule",
        "Address",
    ]
    assert "loft closed. No pigeon lands there." in answers["Closed loft"].sentence


def test_the_channels_own_gate_is_asked_once_more_before_it_is_sent():
    ada = make_user(last_name="North loft")
    fan_out(flowing_event(channels=["pigeon"], users=[ada]))
    type(ada).objects.update(last_name="Closed loft")
    assert send(Delivery.objects.get(), channel="pigeon") == []
    assert by_channel() == {"pigeon": "skipped loft_closed"}


def test_only_a_channel_that_has_a_gate_is_imported_for_it(lofts):
    """The raven's library is not here."""
    with pytest.raises(ModuleNotFoundError, match="a_library_of_ravens"):
        import tests.toy_channels.raven  # noqa: F401
    assert defines("tests.toy_channels.raven", "send")
    assert not defines("tests.toy_channels.raven", "refuse")
    assert channels_own.refuse(lofts, "raven") == [None] * 3
    assert registry.keep_reachable("raven", lofts) is lofts
    assert (registry.disturbs("raven"), registry.is_read_in_the_site("raven")) == (True, False)
    assert registry.label("raven") == "Raven"


@pytest.mark.parametrize("is_read", [True, False])
def test_what_was_read_there_counts_where_the_channel_says_so(is_read):
    user = make_user(last_name="North loft")
    fan_out(flowing_event(channels=BOTH, users=[user], order="inbox_first", wait_minutes=30))
    assert by_channel() == {"pigeon": "queued", "mail": "waiting if_unread"}
    pigeon, mail = (Delivery.objects.get(channel=name) for name in ("pigeon", "mail"))
    item = add_item(user.pk, delivery=pigeon.pk, title="first")
    send(pigeon, channel="pigeon")
    if is_read:
        mark_all_read(user.pk, up_to=item.sequence)
    let_flow(minutes=31)
    sweep()
    assert len(send(mail, channel="mail")) == (not is_read)


def test_what_is_read_there_goes_into_no_digest():
    fan_out(flowing_event(channels=BOTH, users=[make_user(last_name="North loft")], digest_minutes=60))
    assert by_channel() == {"pigeon": "queued", "mail": "waiting digest"}


@pytest.mark.parametrize(("channels", "is_refused"), [(BOTH, False), (("mail",), True), (("pigeon",), True)])
def test_inbox_first_needs_a_channel_whose_reading_is_known_and_another(channels, is_refused):
    subscription = Subscription(order="inbox_first", channels=list(channels))
    refusal = pytest.raises(ValidationError, match="“pigeon” and another one")
    with refusal if is_refused else nullcontext():
        subscription.clean_flow()


def test_the_set_up_page_asks_for_the_parts_and_offers_the_addresses_of_the_channel():
    assert page_choices.parts_of("pigeon") == ("text", "link")
    assert page_choices.parts_of("mail") == ("text",)
    assert insertables._channel_of(models.SlugField(name="roost")) == "pigeon"
    assert insertables._channel_of(models.CharField(name="own_mail")) == "mail"
    assert insertables._channel_of(models.CharField(name="roost")) == ""
