"""The pages of django-signal-notifier, walked by somebody who has read them: introduction and quick start
(5.1 to 5.4), usage, dynamic user, backends, settings. https://github.com/hadi2f244/django-signal-notifier

The project is fresh, has of this repository what docs/quick-start.md has copied, and each shell is a new one.
"""

import pytest
from django.contrib.auth import get_user_model

from notifier.models import Delivery
from project.demo.models import Movie, Profile
from project.demo.signals import notify_audiences
from tests.support.builders import make_audience, make_trigger, make_user
from tests.support.dsn_reader import ADMIN, PAGER, RULES, key_of, subscription, walking

pytestmark = [pytest.mark.one_database]


@pytest.fixture(scope="module")
def walker(tmp_path_factory):
    with walking(tmp_path_factory.mktemp("dsn")) as walker:
        yield walker


@pytest.fixture
def user(walker):
    """Make users: ``user("ada")``; each is named once."""

    def user(*names):
        walker.types(
            "from django.contrib.auth.models import User",
            f"for name in {names!r}: User.objects.get_or_create(username=name)",
        )

    return user


@pytest.fixture(autouse=True)
def _nothing_of_the_test_before(walker):
    walker.types(
        "from notifier.models import *",
        f"for model in (Event, {RULES}): model.objects.all().delete()",
    )


def test_the_quick_start_prints_what_the_first_create_says(walker):
    # 5.1 to 5.3: trigger pre_save on TestModel1, backend, subscription with admin in the users' list.
    template = walker.add_template("simple", "{{ verb }}: {{ instance.name }}, {{ instance.extra_field }}")
    audience = walker.add("audience", name="Admin", users=[key_of(walker, "admin")])
    walker.add_trigger(
        "Saved", template=template, audiences=[audience], verb="pre_save", model="myapp.testmodel1"
    )
    # 5.4
    create = (
        'TestModel1_another_instance = TestModel1.objects.create(name="new_test_model2", extra_field="extra")'
    )
    walker.types("from myapp.models import *", create)
    assert walker.printed() == [("admin", "pre_save: new_test_model2, extra")]
    assert walker.printed() == []


def test_a_custom_signal_is_sent_by_send_and_send_robust_with_actor_and_target(walker, user):
    template = walker.add_template("custom", "{{ parameter1 }} {{ actor_object.username }} {{ target }}")
    audience = walker.add("audience", name="Admin", users=[key_of(walker, "admin")])
    user("ada")
    walker.add_trigger(
        "Custom", template=template, audiences=[audience], verb="custom_signal", actor_model="auth.user",
        target="the shop",
    )  # fmt: skip
    imports = ["from myapp.signals import custom_signal", "from django.contrib.auth.models import User"]
    ada = 'actor_object=User.objects.get(username="ada")'
    # A process that asks the database nothing itself; nobody is the actor, so it does not match.
    walker.types(imports[0], 'custom_signal.send(sender=None, parameter1="no", target="the shop")')
    for send in ("send", "send_robust"):
        walker.types(
            *imports, f'custom_signal.{send}(sender=None, parameter1="{send}", {ada}, target="the shop")'
        )
    walker.types(*imports, f'custom_signal.send(sender=None, parameter1="no", {ada}, target="elsewhere")')
    assert walker.printed() == [("admin", "send ada the shop"), ("admin", "send_robust ada the shop")]


def test_the_audiences_of_a_movie_are_informed_beside_preset_users_and_once(walker, user):
    user("ada", "bo", "preset")
    template = walker.add_template("film", "{{ movie.name }} for {{ user.username }}")
    preset = walker.add("audience", name="Preset", users=[key_of(walker, name) for name in ("preset", "ada")])
    dynamic = walker.add("audience", name="Who is to see it", paths="movie.audiences")
    walker.add_trigger("Films", template=template, audiences=[preset, dynamic], verb="inform_audiences")
    walker.types(
        "from django.contrib.auth.models import User",
        "from myapp.models import Movie",
        "from myapp.signals import inform_audiences",
        'movie = Movie.objects.create(name="Metropolis")',
        'movie.audiences.set(User.objects.filter(username__in=["ada", "bo"]))',
        "inform_audiences.send(sender=Movie, movie=movie)",
    )
    assert walker.printed() == [(name, f"Metropolis for {name}") for name in ("ada", "bo", "preset")]


def test_a_signal_that_does_not_fit_is_logged_and_ignored_and_preset_users_are_told(walker, user):
    user("preset")
    template = walker.add_template("film", "A film for {{ user.username }}")
    preset = walker.add("audience", name="Preset", users=[key_of(walker, "preset")])
    dynamic = walker.add("audience", name="Who is to see it", paths="movie.audiences")
    walker.add_trigger("Films", template=template, audiences=[preset, dynamic], verb="inform_audiences")
    walker.types(
        "from myapp.signals import inform_audiences",
        'inform_audiences.send(sender=None, movie="no film at all")',
        says="Audience path movie.audiences leads nowhere and is ignored: AttributeError\n",
    )
    assert walker.printed() == [("preset", "A film for preset")]


def test_a_trigger_is_about_the_argument_that_the_signal_names_whoever_sends_it(walker):
    audience = walker.add("audience", name="Admin", users=[key_of(walker, "admin")])
    template = walker.add_template("film", "{{ movie.name }}, {{ action_object.name }}")
    walker.types(
        "from myapp.models import Movie", 'for name in ("Fargo", "Heat"): Movie.objects.create(name=name)'
    )
    key = walker.project.shell(
        'from myapp.models import Movie; print(Movie.objects.get(name="Heat").pk)'
    ).strip()
    about = {
        "template": template,
        "audiences": [audience],
        "verb": "inform_audiences",
        "model": "myapp.movie",
    }
    walker.add_trigger("Any film", **about)
    walker.add_trigger("Heat", **about, object_pk=key)
    walker.types(
        "from myapp.models import Movie",
        "from myapp.signals import inform_audiences",
        'for movie in Movie.objects.filter(name__in=["Fargo", "Heat"]): '
        "inform_audiences.send(sender=None, movie=movie)",
    )
    assert walker.printed() == [("admin", f"{name}, {name}") for name in ("Fargo", "Heat", "Heat")]


def test_a_signal_may_call_its_arguments_user_and_target(walker, user):
    user("ada")
    audience = walker.add("audience", name="Admin", users=[key_of(walker, "admin")])
    template = walker.add_template(
        "rated", "{{ signal_user.username }}, {{ actor_object.username }}: {{ target.name }} {{ stars }} "
        "to {{ user.username }}",
    )  # fmt: skip
    walker.add_trigger(
        "Rated", template=template, audiences=[audience], verb="rated", actor_model="auth.user"
    )
    walker.types(
        "from django.contrib.auth.models import User",
        "from myapp.models import Movie",
        "from myapp.signals import rated",
        'rated.send(sender=None, user=User.objects.get(username="ada"), target=Movie(name="Heat"), stars=4)',
    )
    assert walker.printed() == [("admin", "ada, ada: Heat 4 to admin")]


REFUSED = [
    # As DSN's pages have it: `context.verb` is `verb` here, and `signal_kwargs.parameter1` is `parameter1`.
    ("{% if 'verb' in context and context.verb != None %}{{ context.verb }}{% endif %}", "custom_signal",
     ["context", "parameter1", "verb"]),
    ("{{ signal_kwargs.parameter1 }}", "custom_signal", ["signal_kwargs", "parameter1"]),
    ("{{ trigger_context.verb }}", "custom_signal", ["trigger_context", "parameter1", "verb"]),
    # What an argument's type does not have.
    ("{{ movie.nmae }}", "inform_audiences", ["movie.nmae", "name"]),
    ("{{ signal_user.nmae }}", "rated", ["signal_user.nmae", "first_name"]),
    ("{{ target.nmae }}", "rated", ["target.nmae", "name"]),
    ("{{ stars.many }}", "rated", ["stars"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "verb", "named"), REFUSED)
def test_a_message_template_is_told_what_there_is_not_and_what_there_is(walker, text, verb, named):
    refused = walker.refusal(text, verb=verb)
    assert [each for each in named if each not in refused] == []
    assert (
        walker.project.shell("from notifier.models import Trigger; print(Trigger.objects.count())") == "0\n"
    )


def test_get_template_context_is_a_provider_and_may_be_asked_for_each_person(walker, user):
    user("ada", "bo")
    audience = walker.add("audience", name="Both", users=[key_of(walker, name) for name in ("ada", "bo")])
    template = walker.add_template(
        "ours", "{% if verb %}{{ verb }}, {{ current_time }}: {{ films }}{% endif %}",
        providers=["now", "films"],
    )  # fmt: skip
    walker.add_trigger("Custom", template=template, audiences=[audience], verb="custom_signal")
    walker.types(
        "from django.contrib.auth.models import User",
        "from myapp.models import Movie",
        "from myapp.signals import custom_signal",
        'User.objects.get(username="ada").movie_set.set([Movie.objects.create(name="Alien")])',
        'User.objects.get(username="bo").movie_set.clear()',
        "custom_signal.send(sender=None)",
    )
    assert walker.printed() == [("ada", "custom_signal, today: 1"), ("bo", "custom_signal, today: 0")]


def test_a_messenger_of_ones_own_is_in_the_running_admin_as_soon_as_its_file_is_there(walker):
    page, option = f"{ADMIN}/template/add/", 'value="pager"'
    assert option not in walker.browser.get(page)
    walker.project.write("lambdas/pager.py", PAGER)
    assert option in walker.browser.get(page)
    template = walker.add_template("page", "{{ parameter1 }}", channel="pager")
    audience = walker.add("audience", name="On duty", addresses="pager: +1 555")
    values = {"name": "Custom", "verb": "custom_signal"} | subscription(template, [audience], "pager")
    walker.browser.submit(f"{ADMIN}/trigger/add/", values)


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("dsn_profile.telegram_chat_id", "987654321"),
        ("telegram:{dsn_profile.telegram_chat_id}", "telegram:987654321"),
    ],
)
def test_the_address_comes_from_the_profile_model_of_the_settings(walker, user, path, address):
    user("ada")
    walker.types(
        "from django.contrib.auth.models import User",
        "from myapp.models import Profile",
        'Profile.objects.get_or_create(user=User.objects.get(username="ada"), telegram_chat_id="987654321")',
    )
    template = walker.add_template("simple", "Hello")
    audience = walker.add("audience", name="Ada", users=[key_of(walker, "ada")])
    walker.add_trigger("Custom", template=template, audiences=[audience], verb="custom_signal")
    walker.types("from myapp.signals import custom_signal", "custom_signal.send(sender=None)")
    settings = walker.project.folder / "shop" / "settings.py"
    before = settings.read_text()
    walker.project.add("shop/settings.py", f'NOTIFIER["ADDRESSES"] = {{"console": "{path}"}}\n')
    try:
        assert walker.printed() == [(address, "Hello")]
    finally:
        settings.write_text(before)


def test_a_trigger_that_is_switched_off_says_nothing_and_rules_are_carried_as_fixtures(walker):
    template = walker.add_template("simple", "Hello")
    audience = walker.add("audience", name="Admin", users=[key_of(walker, "admin")])
    trigger = walker.add_trigger("Custom", template=template, audiences=[audience], verb="custom_signal")
    walker.browser.submit(f"{ADMIN}/trigger/{trigger}/change/", {"enabled": None})
    walker.types("from myapp.signals import custom_signal", "custom_signal.send(sender=None)")
    assert walker.printed() == []
    walker.browser.submit(f"{ADMIN}/trigger/{trigger}/change/", {"enabled": "on"})
    names = ("trigger", "template", "contentversion", "templatecontent", "audience", "subscription")
    walker.project.manage("dumpdata", *(f"notifier.{name}" for name in names), "-o", "rules.json")
    walker.types(
        "from notifier.models import *",
        f"for model in ({RULES}): model.objects.all().delete()",
    )
    walker.project.manage("loaddata", "rules.json")
    walker.types("from myapp.signals import custom_signal", "custom_signal.send(sender=None)")
    assert walker.printed() == [("admin", "Hello")]


@pytest.mark.django_db(transaction=True)
def test_one_trigger_sends_e_mail_sms_telegram_and_a_post_on_x(cloud, pump, settings):
    """The reference project stands for the reader's, as its functions and the stand-ins are there."""
    settings.NOTIFIER = settings.NOTIFIER | {
        "ADDRESSES": {"email": "email", "sms": "profile.phone", "chat": "telegram:{last_name}"}
    }
    ada, bo = (make_user(username=name, email=f"{name}@example.com") for name in ("ada", "bo"))
    make_user(username="ivy", email="ivy@example.com", is_active=False)
    get_user_model().objects.filter(pk=ada.pk).update(last_name="987654321")
    Profile.objects.create(user=ada, phone="+44 7400 123401")
    make_trigger(
        verb="notify_audiences", model="demo.movie", channels=["email", "sms", "chat", "twitter"],
        contents={
            "email": {"subject": "{{ movie.title }}", "text": "{{ movie.title }} for {{ user.username }}"},
            **{channel: {"text": "{{ movie.title }} is on"} for channel in ("sms", "chat", "twitter")},
        },
        audiences=[make_audience(paths="movie.audiences", addresses="twitter: @the_shop")],
    )  # fmt: skip
    movie = Movie.objects.create(title="Metropolis")
    movie.audiences.set(get_user_model().objects.filter(username__in=["ada", "bo", "ivy"]))
    notify_audiences.send(sender=None, movie=movie)
    pump.drain()
    assert sorted((each.channel, each.recipient, each.text.strip()) for each in cloud.outbox()) == [
        ("chat", "telegram:987654321", "Metropolis is on"),
        ("email", "ada@example.com", "Metropolis for ada"),
        ("email", "bo@example.com", "Metropolis for bo"),
        ("sms", "+447400123401", "Metropolis is on"),
        ("twitter", "everyone", "Metropolis is on"),
    ]
    left = Delivery.objects.exclude(status="sent").values_list("recipient", "channel", "reason")
    assert {row for row in left if row[0] == f"user:{bo.pk}"} == {
        (f"user:{bo.pk}", channel, "no_address") for channel in ("chat", "sms", "twitter")
    }
