"""Which models and columns no event holds, of whatever kind they are."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.base_session import AbstractBaseSession
from django.contrib.sessions.models import Session
from django.core import checks
from django.db import models
from django.test.utils import isolate_apps

from notifier.checks.never import check_never
from notifier.templating import permitted, readable
from notifier.templating.permitted import AT_PERSON, PAST_PERSON, is_never, is_withheld, way_on
from project.demo.models import Post, Profile


class EncryptedTextField(models.TextField):
    """As of the packages that bring one."""


class Hashed(models.CharField):
    """A project's own; it says what it is in another's words."""


class HashedPasswordField(Hashed):
    pass


def model(name="Thing", bases=(models.Model,), label="shop", proxy=False, **columns):
    meta = type("Meta", (), {"app_label": label, "proxy": proxy})
    return type(name, bases, {"Meta": meta, "__module__": __name__, **columns})


def text(**options):
    return models.CharField(max_length=50, **options)


LABELS = """
    sessions authtoken knox token_blacklist oauth2_provider oidc_provider social_django socialaccount mfa axes
    otp_totp otp_static otp_email otp_yubikey otp_webauthn two_factor user_sessions auditlog reversion
"""


@pytest.mark.parametrize("label", LABELS.split())
@isolate_apps("tests.app")
def test_apps_of_sign_ins_are_known_by_their_label(label):
    assert is_never(model(label=label))


KINDS = {
    "a table of live sessions of one's own": lambda: model("Visit", (AbstractBaseSession,)),
    "a proxy of sessions": lambda: type(
        "Mine",
        (Session,),
        {"Meta": type("Meta", (), {"proxy": True, "app_label": "shop"}), "__module__": "x"},
    ),
    "what inherits from sessions": lambda: model("More", (Session,)),
    "a key that is a secret": lambda: model(reset_code=text(primary_key=True)),
    "a key of a secret kind": lambda: model(number=EncryptedTextField(primary_key=True)),
    "a key that is a session's": lambda: model(
        it=models.OneToOneField(Session, models.CASCADE, primary_key=True)
    ),
    "a key of two, one a secret": lambda: model(
        pk=models.CompositePrimaryKey("a", "api_key"), a=text(), api_key=text()
    ),
    "a token of one's own": lambda: model("LoginToken", key=text(primary_key=True)),
    "an API key": lambda: model("ApiKey", prefix=text()),
}


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
@isolate_apps("tests.app")
def test_a_model_of_that_kind_is_never_held(make):
    made = make()
    assert is_never(made)
    assert permitted.refusal(made)
    assert readable.readable_names(made) == []
    assert not readable.is_readable(made, "pk")


@isolate_apps("tests.app")
def test_an_ordinary_one_is():
    ordinary = [
        model("Country", code=text(primary_key=True)),
        model("Setting", key=text(primary_key=True)),
        model("Session", title=text()),
        model("TokenSale", price=models.IntegerField()),
    ]
    assert not any(map(is_never, [*ordinary, Post, Profile, User, ContentType, None, str, 1]))


@isolate_apps("tests.app")
def test_a_column_is_withheld_by_its_name_its_kind_and_what_it_leads_to():
    door = model("Door", api_key=text(unique=True), number=text())
    room = model(
        "Room",
        door=models.ForeignKey(door, models.CASCADE, to_field="api_key"),
        other=models.ForeignKey(door, models.CASCADE, related_name="+"),
        visit=models.ForeignKey(Session, models.CASCADE, related_name="rooms"),
        visits=models.ManyToManyField(Session, related_name="+"),
        note=EncryptedTextField(),
        word=HashedPasswordField(max_length=5),
        pin=models.IntegerField(choices=[(1, "one")]),
        copy=models.GeneratedField(
            expression=models.functions.Upper("pin"), output_field=text(), db_persist=True
        ),
        postal_code=text(),
    )
    names = set(readable.readable_names(room))
    assert names == {"id", "door", "other", "other_id", "postal_code"}
    withheld = {"door_id", "visit", "visit_id", "visits", "note", "word", "pin", "get_pin_display", "copy"}
    assert all(is_withheld(room, name) and not readable.is_readable(room, name) for name in withheld)
    assert "room_set" in readable.readable_names(door)


def test_from_a_type_nothing_leads_on_and_to_a_permission_nothing():
    names = readable.readable_names(ContentType)
    assert "model" in names
    assert not [name for name in names if name.endswith("_set")]
    assert is_never(Permission)
    assert "permissions" not in readable.readable_names(Group)


@isolate_apps("tests.app")
def test_from_the_person_there_is_one_relation_of_what_is_theirs():
    letter = model(
        "Letter",
        writer=models.ForeignKey(User, models.CASCADE, related_name="letters"),
        reader=models.ForeignKey(User, models.CASCADE, related_name="+"),
        readers=models.ManyToManyField(User, related_name="read"),
        post=models.ForeignKey(Post, models.CASCADE),
        kind=models.ForeignKey(ContentType, models.CASCADE),
        number=models.IntegerField(),
        about=GenericForeignKey("kind", "number"),
    )
    found = {name: way_on(letter, name, PAST_PERSON) for name in ("post", "number", "reader_id", "kind")}
    assert set(found.values()) == {PAST_PERSON}
    refused = ("writer", "reader", "readers", "about", "api_key")
    assert not any(way_on(letter, name, PAST_PERSON) for name in refused)
    assert way_on(Group, "user_set", PAST_PERSON) == way_on(User, "movie_set", AT_PERSON) == ""
    assert way_on(User, "groups", AT_PERSON) == PAST_PERSON
    assert way_on(User, "profile", AT_PERSON) == PAST_PERSON
    assert way_on(User, "profile", PAST_PERSON) == ""


WRONG = {
    "a text": ("sessions", "which is no list"),
    "a number in it": ([1], "no such app"),
    "an app that is not there": (["payrol"], "no app “payrol”"),
    "a model that is not there": (["demo.Pots"], "no model “demo.Pots”"),
    "nothing": ([""], "no such app"),
}


@pytest.mark.parametrize(("value", "said"), WRONG.values(), ids=WRONG)
def test_the_check_says_what_is_wrong_with_the_setting(value, said, settings):
    settings.NOTIFIER = settings.NOTIFIER | {"NEVER": value}
    (found,) = check_never()
    assert said in found.msg
    assert found.id == "notifier.E031"
    assert found in checks.run_checks(tags=[checks.Tags.security])


def test_a_right_setting_is_right(settings):
    settings.NOTIFIER = settings.NOTIFIER | {"NEVER": ["shop", "demo.Post", "demo.movie"]}
    assert check_never() == []
    assert is_never(Post)
    assert not is_never(Profile)
