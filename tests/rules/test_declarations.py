"""``notify_on``: what code may declare beside its models, and what is refused at once, without a database."""

import pytest
from django.db import models

from notifier import notify_on
from notifier.exceptions import DeclarationRefused
from notifier.rules import declarations
from project.demo.models import Movie, Post
from tests.support.declaring import only_declared

WELCOME = {"key": "welcome", "template": "welcome", "channels": ["email"], "audience": "Everyone"}


@pytest.fixture(autouse=True)
def _declarations_of_this_test():
    with only_declared():
        yield


class Abstract(models.Model):
    class Meta:
        abstract = True
        app_label = "demo"


def test_a_decorated_model_is_what_the_rule_is_about_and_stays_what_it_was():
    assert notify_on("post_save", saved="created", **WELCOME)(Post) is Post
    found = declarations.get("welcome")
    assert (found.verb, found.model, found.place) == ("post_save", "demo.post", "project.demo.models.Post")
    assert found.more == {"saved": "created"}


def test_a_call_declares_a_rule_of_any_signal():
    notify_on("order_placed", **WELCOME)
    found = declarations.get("welcome")
    assert (found.model, found.place) == ("", __name__)


def test_a_model_of_another_app_is_named():
    notify_on("post_save", model="auth.User", **WELCOME)
    assert declarations.get("welcome").model == "auth.user"


def test_several_rules_stand_above_one_model():
    notify_on("post_save", **WELCOME)(notify_on("post_delete", **WELCOME | {"key": "farewell"})(Post))
    assert {each.key: each.model for each in declarations.all_declared().values()} == {
        "welcome": "demo.post", "farewell": "demo.post",
    }  # fmt: skip


def test_a_module_that_is_imported_twice_declares_the_same():
    for _ in range(2):
        notify_on("post_save", **WELCOME)(Post)
    assert declarations.get("welcome").model == "demo.post"


@pytest.mark.parametrize(
    ("declare", "said"),
    [
        # No name for good.
        (lambda: notify_on("post_save", **WELCOME | {"key": ""}), "no key"),
        (lambda: notify_on("post_save", **WELCOME | {"key": "two words"}), "no key"),
        (lambda: notify_on("post_save", **WELCOME | {"key": "x" * 101}), "no key"),
        (lambda: notify_on("post_save", **WELCOME | {"key": None}), "no key"),
        # Nothing to say, and two things to say.
        (lambda: notify_on("post_save", **WELCOME | {"template": ""}), "one of the two"),
        (lambda: notify_on("post_save", contents={"email": {"text": "."}}, **WELCOME), "one of the two"),
        # Not a model, and none that has rows.
        (lambda: notify_on("post_save", **WELCOME)(print), "no model"),
        (lambda: notify_on("post_save", **WELCOME)(int), "no model"),
        (lambda: notify_on("post_save", **WELCOME)(Post(title="A row")), "no model"),
        (lambda: notify_on("post_save", **WELCOME)(Abstract), "no model"),
        # What is said otherwise.
        (lambda: notify_on("post_save", enabled=False, **WELCOME), "cannot say enabled"),
        (lambda: notify_on("post_save", subscriptions=[], **WELCOME), "cannot say subscriptions"),
        # Two models, and two rules of one name.
        (lambda: notify_on("post_save", model="demo.movie", **WELCOME)(Post), "already"),
        (lambda: [notify_on(verb, **WELCOME) for verb in ("post_save", "post_delete")], "taken"),
    ],
)
def test_what_can_be_no_rule_is_refused_where_it_stands(declare, said):
    with pytest.raises(DeclarationRefused, match=said):
        declare()


def test_what_was_refused_leaves_no_rule_behind():
    with pytest.raises(DeclarationRefused):
        notify_on("post_save", **WELCOME)(Abstract)
    notify_on("post_save", **WELCOME)(Movie)
    assert declarations.get("welcome").model == "demo.movie"
