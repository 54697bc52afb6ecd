"""Guessing passwords: from one network, from many, at one name and at many; and the owner still gets in."""

import datetime as dt
import io
from itertools import count, cycle
from types import SimpleNamespace

import pytest
from axes.models import AccessAttempt
from django.contrib.auth import get_user_model, hashers
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from notifier.deploy.web import NOBODY
from project import sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

PASSWORD, LOGIN = "correct horse battery staple", "/admin/login/"
ALLOWED, LOCKED = 200, 429
# Documentation's, and one of each kind that carries an IPv4 address.
NETWORKS = {
    # network → addresses in it, in any spelling
    "203.0.113.7": ["203.0.113.7", "::ffff:203.0.113.7", "::FFFF:CB00:7107", "0:0:0:0:0:ffff:203.0.113.7"],
    "198.51.100.1": [
        "2002:c633:6401::1", "2002:c633:6401:ffff:1:2:3:4", "64:ff9b::198.51.100.1", "::198.51.100.1",
    ],
    "192.0.2.45": ["2001:0:4136:e378:8000:63bf:3fff:fdd2"],
    "2001:db8:1:2::": [
        "2001:db8:1:2::1", "2001:DB8:1:2:FFFF:ffff:ffff:ffff", "2001:0db8:0001:0002:0000:0000:0000:0003",
        "2001:db8:1:2::1%eth0", "[2001:db8:1:2::1]", " 2001:db8:1:2::9 ",
    ],
    "2001:db8:1:3::": ["2001:db8:1:3::1"],
    "fe80::": ["fe80::1%1", "fe80::abcd"],
    "::": ["::1"],
    NOBODY: ["", "nobody", "unix:", "2001:db8::/64", "1.2.3", "01.2.3.4"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("address", "network"), [(address, net) for net, addresses in NETWORKS.items() for address in addresses]
)
def test_a_client_is_its_network_however_its_address_is_spelled(address, network):
    assert sign_in.network_of(SimpleNamespace(META={"REMOTE_ADDR": address})) == network


@pytest.fixture(autouse=True)
def _guarded(settings):
    settings.AXES_ENABLED = True


@pytest.fixture
def boss():
    return get_user_model().objects.create_superuser("boss", "boss@example.com", PASSWORD)


def guess(name="boss", password="wrong", *, address="2001:db8:1:2::1", client=None, **headers):
    """The status of the answer: 302 is signed in."""
    client = client or Client()
    form = {"username": name, "password": password}
    return client.post(LOGIN, form, REMOTE_ADDR=address, **headers).status_code


def guess_many(*, addresses, names=("boss",), times=60):
    """How many of the guesses were looked at."""
    those = zip(range(times), cycle(addresses), cycle(names), strict=False)
    return sum(guess(name, f"wrong{n}", address=address) == ALLOWED for n, address, name in those)


def new_networks():
    return (f"2001:db8:{n:x}::1" for n in count(1))


ONE_NETWORK = {
    "an IPv6 /64": [f"2001:db8:1:2::{n:x}" for n in range(1, 61)],
    "the same in other spellings": NETWORKS["2001:db8:1:2::"],
    "IPv4, mapped and not": NETWORKS["203.0.113.7"],
    "6to4 with a /64 each": [f"2002:c633:6401:{n:x}::1" for n in range(60)],
    "NAT64 and 6to4 of one address": NETWORKS["198.51.100.1"],
    "no address at all": ["", "unix:"],
}


@pytest.mark.parametrize("addresses", ONE_NETWORK.values(), ids=ONE_NETWORK)
def test_sixty_guesses_from_one_network_are_five(boss, addresses):
    assert guess_many(addresses=addresses) < 5
    assert guess(password=PASSWORD, address=addresses[0]) == LOCKED
    assert guess(password=PASSWORD, address="198.51.100.200") == 302


@pytest.mark.parametrize("name", ["boss", "nobody-of-that-name"])
def test_from_many_networks_they_are_a_dozen_whether_there_is_such_a_user_or_not(boss, name):
    assert guess_many(addresses=new_networks(), names=[name]) == sign_in.MOST_BY["username"] - 1
    assert guess(name, PASSWORD, address="198.51.100.200") == LOCKED
    assert guess("another", address="198.51.100.200") == ALLOWED


def test_at_many_names_from_one_network_they_are_thirty(boss):
    names = [f"user{n}" for n in range(60)]
    assert guess_many(addresses=["2001:db8:1:2::1"], names=names) == sign_in.MOST_BY["ip_address"] - 1
    assert guess(password=PASSWORD) == LOCKED
    assert guess(password=PASSWORD, address="2001:db8:1:3::1") == 302


@pytest.mark.parametrize(
    "header", ["HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_USER_AGENT"]
)
def test_no_header_makes_another_client_of_it(boss, header):
    answers = [guess(**{header: f"198.51.100.{n}"}) for n in range(10)]
    assert answers.count(ALLOWED) == 4


# The owner.


def test_the_owner_gets_in_during_an_attack_by_a_browser_that_they_have_used(boss):
    known = Client()
    assert guess(password=PASSWORD, client=known, address="203.0.113.7") == 302
    known.post("/admin/logout/")
    guess_many(addresses=new_networks())
    assert guess(password=PASSWORD, address="203.0.113.8") == LOCKED
    assert guess(password=PASSWORD, client=known, address="203.0.113.8") == 302


@pytest.mark.parametrize("limit", ["username", "ip_address"])
def test_a_known_browser_is_held_to_five_guesses_all_the_same(boss, limit):
    known = Client()
    guess(password=PASSWORD, client=known)
    known.post("/admin/logout/")
    assert [guess(client=known, password=f"wrong{n}") for n in range(10)].count(ALLOWED) == 4
    assert guess(client=known, password=PASSWORD) == LOCKED


FORGED = {
    "another user's": lambda client: guess("ann", PASSWORD, client=client, address="203.0.113.9"),
    "made up": lambda client: client.cookies.load({sign_in.KNOWN: "1:abc:def"}),
    "empty": lambda client: client.cookies.load({sign_in.KNOWN: ""}),
    "not signed": lambda client: client.cookies.load({sign_in.KNOWN: "1"}),
    "signed for something else": lambda client: client.cookies.load(
        {sign_in.KNOWN: client.cookies["csrftoken"].value if "csrftoken" in client.cookies else "x:y:z"}
    ),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_what_is_no_cookie_of_this_user_opens_nothing(boss, forge):
    get_user_model().objects.create_superuser("ann", "ann@example.com", PASSWORD)
    client = Client()
    forge(client)
    client.post("/admin/logout/")
    guess_many(addresses=new_networks())
    assert guess(password=PASSWORD, client=client, address="203.0.113.8") == LOCKED


def test_the_cookie_is_for_the_sign_in_page_alone_and_names_nobody(boss, settings):
    settings.SESSION_COOKIE_SECURE = True
    client = Client()
    guess(password=PASSWORD, client=client)
    cookie = client.cookies[sign_in.KNOWN]
    assert (cookie["path"], cookie["httponly"], cookie["secure"], cookie["samesite"]) == (
        LOGIN,
        True,
        True,
        "Lax",
    )
    assert "boss" not in cookie.value


def test_a_wrong_guess_gets_no_cookie(boss):
    client = Client()
    guess(client=client)
    assert sign_in.KNOWN not in client.cookies


def test_an_administrator_ends_the_pause_by_the_name(boss):
    guess_many(addresses=new_networks())
    call_command("axes_reset_username", "boss", stdout=io.StringIO())
    assert guess(password=PASSWORD, address="203.0.113.8") == 302


def pass_time(**period):
    for attempt in AccessAttempt.objects.all():
        AccessAttempt.objects.filter(pk=attempt.pk).update(
            attempt_time=attempt.attempt_time - dt.timedelta(**period)
        )


@pytest.mark.parametrize("attack", [new_networks, lambda: ["2001:db8:1:2::1"]], ids=["many networks", "one"])
def test_the_pause_ends_by_itself_and_guesses_meanwhile_do_not_lengthen_it(boss, attack):
    guess_many(addresses=attack())
    pass_time(minutes=14)
    guess_many(addresses=attack())
    assert guess(password=PASSWORD) == LOCKED
    pass_time(minutes=1, seconds=1)
    assert guess(password=PASSWORD) == 302


def test_signing_in_as_oneself_gives_no_new_guesses_at_others(boss):
    get_user_model().objects.create_superuser("mallory", "mallory@example.com", PASSWORD)
    looked_at = 0
    for n in range(20):
        looked_at += guess(password=f"wrong{n}") == ALLOWED
        guess("mallory", PASSWORD)
    assert looked_at == 4


def test_nor_does_the_owner_signing_in_elsewhere_give_the_attacker_more(boss):
    addresses = new_networks()
    assert guess_many(addresses=addresses, times=11) == 11
    assert guess(password=PASSWORD, address="203.0.113.8") == 302
    assert guess_many(addresses=addresses, times=5) == 0


MESSAGES = {
    "one network": (["2001:db8:1:2::1"], ["boss"], "tried 5 times from your network"),
    "many networks": (new_networks(), ["boss"], "from several networks"),
    "many names": (["2001:db8:1:2::1"], [f"user{n}" for n in range(60)], "many times from your network"),
}


@pytest.mark.parametrize(("addresses", "names", "said"), MESSAGES.values(), ids=MESSAGES)
def test_the_page_says_what_happened_how_long_it_lasts_and_who_can_end_it(boss, addresses, names, said):
    guess_many(addresses=addresses, names=names)
    form = {"username": "boss", "password": PASSWORD}
    page = Client().post(LOGIN, form, REMOTE_ADDR="2001:db8:1:2::1").content.decode()
    assert said in page
    assert "Try again in 15 minutes. An administrator can end the pause earlier." in page


# What is kept of it.


def test_a_flood_leaves_as_many_rows_as_the_limits_allow_and_the_next_failure_removes_them(boss):
    names = [f"user{n}" for n in range(100)]
    guess_many(addresses=["2001:db8:1:2::1"], names=names, times=100)
    for n in range(20):
        guess(HTTP_USER_AGENT=f"browser {n}", address="2001:db8:1:3::1")
    assert AccessAttempt.objects.count() <= sign_in.MOST_BY["ip_address"] + 5
    pass_time(minutes=16)
    guess(address="203.0.113.8")
    assert AccessAttempt.objects.count() == 1


def test_no_row_holds_a_password_a_name_or_a_token(boss):
    client = Client(enforce_csrf_checks=True)
    client.get(LOGIN)
    token = client.cookies["csrftoken"].value
    form = {"username": "boss", "password": "MY-SECRET", "csrfmiddlewaretoken": token}
    assert client.post(LOGIN, form).status_code == ALLOWED
    (row,) = AccessAttempt.objects.all()
    assert [each for each in ("MY-SECRET", token, "boss") if each in row.post_data + row.get_data] == []
    assert row.attempt_time <= timezone.now()


@pytest.mark.parametrize(
    "name", ["", " ", "BOSS", "boss ", "b\u200boss", "\uff42oss", "boss\x00", "b" * 5000]
)
def test_no_spelling_of_the_name_gives_more_guesses_at_it(boss, name):
    """The form writes a name as Django compares it, so another spelling is the same, or nobody's."""
    for n in range(5):
        assert guess(name, f"wrong{n}") in (ALLOWED, LOCKED)
    right = guess(name, PASSWORD, address="203.0.113.8")
    assert right in (ALLOWED, LOCKED) or guess("boss", PASSWORD) == LOCKED


def test_a_name_that_is_not_there_costs_what_one_that_is_there_costs(boss, monkeypatch):
    made = []
    encode = hashers.MD5PasswordHasher.encode
    monkeypatch.setattr(
        hashers.MD5PasswordHasher, "encode", lambda self, *given: made.append(1) or encode(self, *given)
    )
    costs = []
    for name in ("boss", "nobody"):
        made.clear()
        guess(name)
        costs.append(len(made))
    assert costs[0] == costs[1] > 0
