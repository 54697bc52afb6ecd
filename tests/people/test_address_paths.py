"""An address that is a text with values of the person in it, such as “telegram:{profile.phone}”."""

from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model

from notifier.channels.address_paths import read_address
from notifier.checks import check_settings
from notifier.deliveries.fanout import fan_out
from notifier.explaining.people import find_person
from notifier.models import ContactPoint
from notifier.people import addresses
from project.demo.models import Profile
from tests.support.builders import make_audience, make_event, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def named(settings):
    """Name the address of text messages as the setting says."""

    def name(setting):
        settings.NOTIFIER = settings.NOTIFIER | {"ADDRESSES": {"email": "email", "sms": setting}}

    return name


def make_person(phone="7", **values):
    user = make_user(**values)
    if phone is not None:
        Profile.objects.create(user=user, phone=phone)
    return user


FOUND = [
    # the setting, what the profile has, the user's own values, the address, or blank for none
    ("telegram:{profile.phone}", "987654321", {}, "telegram:987654321"),
    ("telegram:{profile.phone}", " 987 \t", {}, "telegram:987"),
    ("telegram:{profile.phone}", "", {}, ""),
    ("telegram:{profile.phone}", " \n\u3000", {}, ""),
    ("telegram:{profile.phone}", None, {}, ""),  # no profile at all
    ("{username}@{profile.phone}", "x.org", {"username": "ada"}, "ada@x.org"),
    ("{username}@{profile.phone}", "", {"username": "ada"}, ""),  # one of them blank
    ("{profile.phone}", "+44", {}, "+44"),
    ("{{{profile.phone}}}", "7", {}, "{7}"),
    ("x:{last_name}%", "7", {"last_name": "100%_a"}, "x:100%_a%"),
    ("a:{ profile.phone }", "7", {}, "a:7"),
    ("profile.phone", "7", {}, "7"),
]


@pytest.mark.parametrize(("setting", "phone", "values", "address"), FOUND)
def test_the_fan_out_a_count_and_another_look_make_the_same_address(
    cloud, named, setting, phone, values, address
):
    named(setting)
    user = make_person(phone, **values)
    event = make_event(contents={"sms": {"text": "."}}, audiences=[make_audience(users=[user])])
    fan_out(event.pk, lease_seconds=900)
    delivery = event.deliveries.get()
    assert (delivery.address, delivery.reason) == (address, "" if address else "no_address")
    counted = addresses.reachable(get_user_model().objects.all(), "sms")
    assert list(counted) == ([user] if address else [])
    reached, _unreachable = addresses.look_again([(delivery.pk, "sms", delivery.recipient)])
    assert reached == ({delivery.pk: address} if address else {})
    assert addresses.place_of(user, "sms").address == address


def test_a_contact_point_comes_first():
    user = make_person()
    ContactPoint.objects.create(user=user, channel="sms", address="telegram:1")
    assert addresses.place_of(user, "sms").address == "telegram:1"


def test_a_number_and_a_key_are_written_as_they_are(named):
    named("u:{pk}")
    user = make_user()
    assert addresses.place_of(user, "sms").address == f"u:{user.pk}"


def test_people_are_found_by_it(named, admin_client):
    named("telegram:{profile.phone}")
    user = make_person("987654321")
    make_person("5")
    assert find_person("Telegram:987654321").user == user
    event = make_event(contents={"sms": {"text": "."}}, audiences=[make_audience(users=[user])])
    fan_out(event.pk, lease_seconds=900)
    page = admin_client.get("/admin/notifier/delivery/", {"q": "telegram:987654321"})
    assert page.context["cl"].result_count == 1


WRONG = [
    # the setting, what the check says
    ("telegram:{profile.nonsense}", "profile.nonsense"),
    ("telegram:{profile}x{nonsense}", "nonsense"),
    ("telegram:{profile.phone", "Its braces do not pair"),
    ("telegram:profile.phone}", "Its braces do not pair"),
    ("telegram:{}", "nothing inside"),
    ("telegram:{profile.phone!r}", "a path stands alone"),
    ("telegram:{profile.phone:>20}", "a path stands alone"),
    ("{{telegram}}", "names nothing of the user"),
    ("telegram:", "has nothing there"),
    ("telegram:{groups.name}", "groups.name"),  # of many, nobody knows which
    ("", "names nothing of the user"),
    (7, "names nothing of the user"),
]


@pytest.mark.parametrize(("setting", "words"), WRONG)
def test_what_is_wrong_with_it_the_check_says(named, setting, words):
    named(setting)
    (problem,) = check_settings()
    assert words in problem.msg
    assert problem.id == "notifier.E012"


def test_a_setting_that_is_right_passes_the_check(named):
    named("telegram:{profile.phone}")
    assert check_settings() == []
    assert read_address("a{b.c}d") == [("a", "b.c"), ("d", "")]
    assert SimpleNamespace(**addresses.columns_for(["email"])).email == "email"
