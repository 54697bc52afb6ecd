"""Apps register their devices under a person's session; a token belongs to whoever signed in on it last."""

from types import SimpleNamespace

import pytest
from django.test import Client
from django.utils import timezone

from notifier.channels import registry
from notifier.gates import channels_own
from notifier.models import Device
from notifier.people import addresses
from notifier.people.devices import MAX_DEVICES, UnusableDevice, register_device
from tests.support.builders import make_device, make_user

pytestmark = pytest.mark.django_db
URL = "/notifications/devices/"
FORM = {"platform": "fcm", "token": "a-token:of-FCM_1"}


@pytest.fixture
def ada():
    return make_user()


@pytest.fixture
def app(client, ada):
    client.force_login(ada)
    return client


def test_a_device_is_registered_once_however_often_the_app_says_so(app, ada):
    first, second = (app.post(URL, FORM) for _ in range(2))
    device = Device.objects.get()
    assert (first.status_code, first.json()) == (201, {"id": device.pk, "platform": "fcm"})
    assert second.json() == first.json()
    assert (device.user, device.token, device.enabled) == (ada, FORM["token"], True)


def test_a_token_moves_to_whoever_signed_in_last_and_is_switched_on_again(app, ada):
    before = make_device(
        token=FORM["token"], enabled=False, seen_at=timezone.now() - timezone.timedelta(days=90)
    )
    app.post(URL, FORM)
    after = Device.objects.get()
    assert (after.pk, after.user, after.enabled) == (before.pk, ada, True)
    assert after.seen_at > before.seen_at


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"platform": "fcm"},
        {"token": "a"},
        {"platform": "sms", "token": "a"},
        {"platform": "fcm", "token": " "},
        {"platform": "fcm", "token": "a b"},
        {"platform": "fcm", "token": "a\x00"},
        {"platform": "fcm", "token": "ü"},
        {"platform": "fcm", "token": "a" * 1001},
    ],
)
def test_what_is_no_device_is_refused_with_a_reason(app, form):
    response = app.post(URL, form)
    assert response.status_code == 400
    assert response.json()["error"]
    assert not Device.objects.exists()


def test_without_a_session_or_its_token_or_by_get_nothing_changes(client, app, ada):
    device = make_device(user=ada)
    strict = Client(enforce_csrf_checks=True)
    for url in (URL, f"{URL}{device.pk}/remove/"):
        assert Client().post(url, FORM).status_code == 401
        strict.force_login(ada)
        assert strict.post(url, FORM).status_code == 403
        assert app.get(url).status_code == 405
    assert list(Device.objects.all()) == [device]


def test_a_person_removes_their_own_device_and_no_other(app, ada):
    mine, anothers = make_device(user=ada), make_device()
    assert app.post(f"{URL}{anothers.pk}/remove/").status_code == 404
    assert app.post(f"{URL}{mine.pk}/remove/").status_code == 204
    assert app.post(f"{URL}{mine.pk}/remove/").status_code == 404
    assert list(Device.objects.all()) == [anothers]


def test_nobody_keeps_more_devices_than_a_person_has(ada):
    for number in range(MAX_DEVICES + 2):
        register_device(ada, platform="fcm", token=f"token-{number}")
    left = set(Device.objects.values_list("token", flat=True))
    assert len(left) == MAX_DEVICES
    assert not {"token-0", "token-1"} & left


def test_the_same_token_on_two_platforms_is_two_devices(ada):
    register_device(ada, platform="apns", token="abc")
    register_device(ada, platform="apns_sandbox", token="abc")
    assert Device.objects.count() == 2
    with pytest.raises(UnusableDevice):
        register_device(ada, platform="windows", token="abc")


def test_only_who_has_a_device_counts_as_reached(ada):
    with_one = make_device().user
    make_device(enabled=False)
    users = type(ada)._default_manager.all()
    assert list(addresses.reachable(users, "push")) == [with_one]
    assert addresses.look_again([(1, "push", f"user:{ada.pk}"), (2, "push", f"user:{with_one.pk}")]) == (
        {2: str(with_one.pk)},
        {1},
    )


def test_the_gate_lets_through_whom_the_queryset_counts(ada):
    """Two forms of one rule: one for those who are sent to, one for those who are counted beforehand."""
    make_device(user=ada)
    make_device(user=ada, enabled=False)
    off, none = make_device(enabled=False).user, make_user()
    people = [ada, off, none]
    candidates = [SimpleNamespace(recipient=f"user:{each.pk}") for each in people]
    answers = channels_own.refuse([*candidates, SimpleNamespace(recipient="address:x")], "push")
    assert [answer and answer.reason for answer in answers] == [None, *["no_device"] * 3]
    counted = registry.keep_reachable("push", type(ada)._default_manager.all())
    assert list(counted) == [each for each, answer in zip(people, answers, strict=False) if answer is None]
    # Another channel asks for none.
    assert channels_own.refuse(candidates, "email") == [None] * 3
