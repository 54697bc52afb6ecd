"""The pages of django-signal-notifier, walked by somebody who has read them: introduction and quick start
(5.1 to 5.4), usage, dynamic user, backends, settings. https://github.com/hadi2f244/django-signal-notifier

The project is fresh, has of this repository what docs/quick-start.md has copied, and each shell is a new one.
"""

import re

import pytest

from tests.support.fresh_project import FreshProject

pytestmark = [pytest.mark.one_database]

SETTINGS = """
INSTALLED_APPS = ["unfold", *INSTALLED_APPS, "myapp", "notifier", "notifier.console"]
NOTIFIER = {"TOPIC_ARN": "", "ADDRESSES": {"console": "username"}}
"""
MODELS = """
from django.conf import settings
from django.db import models


class TestModel1(models.Model):
    name = models.CharField(max_length=128)
    extra_field = models.CharField(max_length=128)

    def __str__(self):
        return self.name


class Movie(models.Model):
    name = models.CharField(max_length=255)
    audiences = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True)

    def __str__(self):
        return self.name


class Profile(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="dsn_profile")
    telegram_chat_id = models.CharField(max_length=20)
"""
SIGNALS = """
from django.dispatch import Signal

custom_signal = Signal()
inform_audiences = Signal()
"""
APPS = """
import datetime

from django.apps import AppConfig


class MyappConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "myapp"

    def ready(self):
        from notifier import register_provider, register_signal

        from .signals import custom_signal, inform_audiences

        register_signal("custom_signal", custom_signal, args=["parameter1"])
        register_signal("inform_audiences", inform_audiences, args=["movie"])
        # `get_template_context`
        register_provider("now", lambda context: {"current_time": "today"}, provides=["current_time"])
"""
# A messenger: one file.
PAGER = """
LABEL = "Pager"
EXAMPLE = "+1 555"
"""
ADMIN = "/admin/notifier"
RULES = "Subscription, Trigger, Audience, TemplateContent, Template"


class Walker:
    """The reader: fills in the admin's pages, types into shells, and reads what is printed."""

    def __init__(self, project, browser):
        self.project, self.browser = project, browser

    def add(self, what, **values):
        self.browser.submit(f"{ADMIN}/{what}/add/", values)
        return self.newest(what)

    def newest(self, what):
        keys = re.findall(rf"/{what}/(\d+)/change/", self.browser.get(f"{ADMIN}/{what}/"))
        return max(keys, key=int)

    def add_template(self, name, text, **more):
        contents = {"TOTAL_FORMS": "1", "0-channel": "console", "0-text": text}
        return self.add(
            "template", name=name, **{f"contents-{key}": v for key, v in contents.items()}, **more
        )

    def add_trigger(self, name, *, template, audiences, **values):
        return self.add("trigger", name=name, **values, **subscription(template, audiences))

    def types(self, *lines, says=""):
        """Type the lines into a shell of their own."""
        assert self.project.shell("\n".join(lines)) == says

    def printed(self):
        """To whom what is printed."""
        text = self.project.manage("console", "--once")
        return sorted(re.findall(r"To: (\w+)\n(?:Subject: .*\n)?\n(.*)\n", text))


def subscription(template, audiences):
    return {
        "subscriptions-0-template": template,
        "subscriptions-0-channels": ["console"],
        "subscriptions-0-audiences": audiences,
    }


@pytest.fixture(scope="module")
def walker(tmp_path_factory):
    """Setup: installed, in INSTALLED_APPS, migrated; the server runs, and the reader is in the admin."""
    project = FreshProject(
        tmp_path_factory.mktemp("dsn"), installed={"django", "unfold", "css_inline", "inscriptis"}
    )
    project.run("-m", "django", "startproject", "shop", ".")
    project.manage("startapp", "myapp")
    project.copy("notifier")
    project.add("shop/settings.py", SETTINGS)
    for name, text in {"models": MODELS, "signals": SIGNALS, "apps": APPS}.items():
        project.write(f"myapp/{name}.py", text)
    project.manage("makemigrations", "myapp")
    assert "OK" in project.manage("migrate")
    with project.admin() as browser:
        yield Walker(project, browser)


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


def key_of(walker, name):
    """A user's key, as the admin's list links it."""
    return re.findall(
        rf"/admin/auth/user/(\d+)/change/[^>]*>\s*{name}\s*<", walker.browser.get("/admin/auth/user/")
    )[0]


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


def test_a_message_template_names_what_there_is_and_is_told_what_there_is_not(walker):
    # As DSN's page has it: `context.verb` is `verb` here, and `signal_kwargs.parameter1` is `parameter1`.
    theirs = '{% if "verb" in context and context.verb != None %}<p>{{ context.verb }}</p>{% endif %}'
    audience = walker.add("audience", name="Admin", users=[key_of(walker, "admin")])
    template = walker.add_template("theirs", theirs)
    values = {"name": "Custom", "verb": "custom_signal"} | subscription(template, [audience])
    refused = walker.browser.problems(f"{ADMIN}/trigger/add/", values)
    assert "context" in refused
    assert "parameter1" in refused
    # `get_template_context` is a provider.
    ours = walker.add_template(
        "ours", "{% if verb %}{{ verb }}, {{ current_time }}{% endif %}", providers=["now"]
    )
    walker.add_trigger("Custom", template=ours, audiences=[audience], verb="custom_signal")
    walker.types("from myapp.signals import custom_signal", "custom_signal.send(sender=None)")
    assert walker.printed() == [("admin", "custom_signal, today")]


def test_a_messenger_of_ones_own_is_in_the_admin_as_soon_as_its_file_is_there(walker):
    assert "Pager" not in walker.browser.get(f"{ADMIN}/template/add/")
    walker.project.write("lambdas/pager.py", PAGER)
    code = "from notifier.channels.registry import channel_names; print(channel_names())"
    assert walker.project.shell(code) == "['console', 'pager']\n"


def test_the_address_comes_from_the_profile_model_of_the_settings(walker, user):
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
    walker.project.add(
        "shop/settings.py", 'NOTIFIER["ADDRESSES"] = {"console": "dsn_profile.telegram_chat_id"}\n'
    )
    try:
        assert walker.printed() == [("987654321", "Hello")]
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
