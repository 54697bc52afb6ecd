"""The articles that this project set out to replace, A to C of docs/requirements.md, walked by their readers.

A and B are about a project of the reader's own: it is fresh, has the folders `notifier` and `lambdas`, and
what is asserted is written as that project's own tests, which `manage.py test` runs. C is about a site with
its pages, for which the reference project stands.
"""

import json

import pytest
from django.test import Client

from notifier.models import Delivery, Event
from project.demo.models import Post
from project.demo.rules import load_demo
from tests.support.builders import make_audience, make_trigger, make_user
from tests.support.fresh_project import FreshProject
from tests.support.mailing import SES, mail_by

pytestmark = [pytest.mark.one_database]

SETTINGS = """
INSTALLED_APPS = ["unfold", *INSTALLED_APPS, "anymail", "accounts", "notifier"]
NOTIFIER = {"TOPIC_ARN": "", "BASE_URL": "https://shop.example.com", "ADDRESSES": {"email": "email"}}
""" + "".join(f"{name} = {value!r}\n" for name, value in mail_by(SES).items())
HEAD = """
from django.contrib.auth.models import Group, User
from django.db import models, transaction
from django.dispatch import Signal, receiver
from django.test import TestCase

from notifier.hooks import event_recorded, notification_sent
from notifier.models import Audience, Delivery, Event, Subscription, Template, TemplateContent, Trigger
from notifier.testing import assert_not_notified, assert_notified, capture_notifications


def rule(verb, content, audience=None, model="", channel="email", **values):
    template = Template.objects.create(name=f"{verb}-{Template.objects.count()}")
    TemplateContent.objects.create(template=template, channel=channel, **content)
    audience = audience or Audience.objects.create(name=template.name, everyone=True)
    trigger = Trigger.objects.create(name=template.name, verb=verb, model=model, **values)
    subscription = Subscription.objects.create(trigger=trigger, template=template, channels=[channel])
    subscription.audiences.add(audience)
    return trigger
"""

A_MODELS = """
from django.db import models


class FlashSale(models.Model):
    title = models.CharField(max_length=200)
    discount = models.PositiveIntegerField()
"""
A_TEMPLATE = """<h1>{{ instance.title }}</h1>
<p>Hello {{ user.first_name }}, <a href="https://shop.example.com/">{{ instance.discount }}% off</a>.</p>
"""
A_TESTS = """
from accounts.models import FlashSale


class FlashSaleTests(TestCase):
    def setUp(self):
        self.ada = User.objects.create_user("ada", "ada@example.com", first_name="Ada")
        self.ivy = User.objects.create_user("ivy", "ivy@example.com", is_active=False)
        self.pat = User.objects.create_user("pat", "")
        rule(
            "post_save", {"subject": "{{ instance.title }}", "file": "flash_sale_template.html"},
            model="accounts.flashsale", on="created",
        )

    def test_all_active_users_with_an_address_get_html_and_text_when_a_sale_is_created(self):
        with capture_notifications() as sent:
            sale = FlashSale.objects.create(title="Linen", discount=30)
        (mail,) = sent
        assert mail.is_to(self.ada), mail
        assert "<h1" in mail.html and "30% off" in mail.html, mail.html
        assert "<" not in mail.text and "30% off (https://shop.example.com/)" in mail.text, mail.text
        assert [reason for _, who, reason in sent.unsent] == ["no_address"], sent.unsent

    def test_an_update_sends_nothing(self):
        sale = FlashSale.objects.create(title="Linen", discount=30)
        with capture_notifications() as sent:
            sale.save()
        assert_not_notified(sent)

    def test_a_sale_that_is_rolled_back_is_never_sent(self):
        with capture_notifications() as sent, transaction.atomic():
            FlashSale.objects.create(title="Linen", discount=30)
            transaction.set_rollback(True)
        assert_not_notified(sent)

    def test_a_template_without_a_file_is_refused_and_a_save_never_fails(self):
        from django.core.exceptions import ValidationError

        template = Template.objects.create(name="gone")
        with self.assertRaises(ValidationError):
            TemplateContent(template=template, channel="email", subject="-", file="no_such.html").full_clean()
        TemplateContent.objects.all().delete()
        with capture_notifications() as sent:
            FlashSale.objects.create(title="Linen", discount=30)
        assert_not_notified(sent)
        event = Event.objects.get()
        assert (event.status, "had no content" in event.reason) == ("failed", True), event.reason
"""

B_MODELS = """
from django.db import models


class Order(models.Model):
    number = models.CharField(max_length=20)


class Statistics(models.Model):
    orders = models.PositiveIntegerField(default=0)
"""
B_SIGNALS = """
from django.dispatch import Signal


class OrderSignal(Signal):
    pass


order_placed = OrderSignal()
"""
B_APPS = """
from django.apps import AppConfig


class AccountsConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "accounts"

    def ready(self):
        from notifier import register_signal

        from .signals import order_placed

        register_signal("order_placed", order_placed, args=["order"])
"""
B_MIDDLEWARE = """
from notifier.exceptions import Veto


def only_real_orders(record):
    def middleware(recording):
        order = recording.context.get("order")
        if order is not None and order.number == "test":
            raise Veto("A test order.")
        return record(recording)

    return middleware
"""
B_TESTS = """
from accounts.models import Order, Statistics
from accounts.signals import order_placed
from django.core.management import call_command
from django.db.models.signals import post_save

ORDER = {"subject": "-", "text": "{{ order.number }}"}
INSTANCE = {"subject": "-", "text": "{{ instance.number }} {{ verb }}"}


class Statistician:
    @staticmethod
    def count(sender, **kwargs):
        Statistics.objects.update(orders=models.F("orders") + 1)


class SignalTests(TestCase):
    def setUp(self):
        self.ada = User.objects.create_user("ada", "ada@example.com", first_name="Ada")

    def test_each_of_the_four_signals_of_a_model_notifies_of_its_sender_alone(self):
        for verb in ("pre_save", "post_save", "pre_delete", "post_delete"):
            rule(verb, INSTANCE, model="accounts.order")
        with capture_notifications() as sent:
            Statistics.objects.create()
            order = Order.objects.create(number="17")
            order.delete()
        assert [mail.text for mail in sent] == [
            "17 pre_save", "17 post_save", "17 pre_delete", "17 post_delete"
        ], sent

    def test_who_registers_is_welcomed(self):
        welcome = Audience.objects.create(name="Who registers", paths="instance")
        content = {"subject": "Hi {{ instance.username }}", "text": "-"}
        rule("post_save", content, welcome, "auth.user", on="created")
        with capture_notifications() as sent:
            bo = User.objects.create_user("bo", "bo@example.com")
        assert_notified(sent, bo, containing="Hi bo")
        assert len(sent) == 1, sent

    def test_a_custom_signal_of_a_class_of_ones_own_is_sent_by_anybody(self):
        rule("order_placed", ORDER)
        with capture_notifications() as sent:
            for sender in (None, "the shop", Order):
                order_placed.send(sender=sender, order=Order(number="17"))
                order_placed.send_robust(sender=sender, order=Order(number="18"))
        assert [mail.text for mail in sent] == ["17", "18"] * 3, sent

    def test_a_function_and_a_method_hear_what_was_recorded_and_sent(self):
        Statistics.objects.create()
        rule("order_placed", ORDER)
        heard = []

        @receiver(event_recorded)
        def note(sender, **kwargs):
            heard.append(kwargs["verb"])

        notification_sent.connect(Statistician.count)
        with self.captureOnCommitCallbacks(execute=True), capture_notifications():
            order_placed.send(sender=None, order=Order(number="17"))
        assert heard == ["order_placed"], heard
        assert Statistics.objects.get().orders == 1

    def test_a_middleware_refuses_and_it_is_on_record(self):
        rule("order_placed", ORDER)
        with self.settings(NOTIFIER={"MIDDLEWARE": ["accounts.middleware.only_real_orders"]}):
            with capture_notifications() as sent:
                order_placed.send(sender=None, order=Order(number="test"))
                order_placed.send(sender=None, order=Order(number="17"))
        assert [mail.text for mail in sent] == ["17"], sent
        assert list(Event.objects.order_by("pk").values_list("status", "reason"))[0] == (
            "vetoed", "A test order."
        )

    def test_a_handler_that_raises_harms_neither_the_save_nor_the_message(self):
        rule("post_save", INSTANCE, model="accounts.order")

        def raises(sender, **kwargs):
            raise RuntimeError("of a hook")

        event_recorded.connect(raises)
        try:
            with self.captureOnCommitCallbacks(execute=True), capture_notifications() as sent:
                Order.objects.create(number="17")
        finally:
            event_recorded.disconnect(raises)
        assert_notified(sent, self.ada, containing="17")

    def test_a_model_without_a_rule_costs_nothing_and_bulk_and_fixtures_say_nothing(self):
        rule("post_save", INSTANCE, model="accounts.order")
        with self.assertNumQueries(1):
            Statistics.objects.create()
        assert not post_save.has_listeners(Statistics)
        with capture_notifications() as sent:
            Order.objects.bulk_create([Order(number="1")])
            Order.objects.update(number="2")
            call_command("loaddata", "orders.json", verbosity=0)
        assert_not_notified(sent)
"""
FIXTURE = json.dumps([{"model": "accounts.order", "pk": 9, "fields": {"number": "9"}}])


def own_project(folder, models, tests, **files):
    """A project of the reader's own, with an app ``accounts``, and its tests."""
    project = FreshProject(folder)
    project.run("-m", "django", "startproject", "shop", ".")
    project.manage("startapp", "accounts")
    project.copy("notifier", "lambdas")
    project.add("shop/settings.py", SETTINGS)
    project.write("accounts/models.py", models)
    project.write("accounts/tests.py", HEAD + tests)
    for path, text in files.items():
        project.write(f"accounts/{path.replace('__', '/').replace('_dot_', '.')}", text)
    project.manage("makemigrations", "accounts")
    return project


def test_a_flash_sale_by_signal(tmp_path):
    project = own_project(tmp_path, A_MODELS, A_TESTS, templates__flash_sale_template_dot_html=A_TEMPLATE)
    assert "no issues" in project.manage("check")
    assert "TOPIC_ARN" in project.run("-c", DEPLOY_CHECK)
    assert "Ran 4 tests" in project.manage("test", "accounts")


# `check --deploy` ends with an error, as it should.
DEPLOY_CHECK = """
import os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
django.setup()
from django.core.checks import run_checks
print([problem.msg for problem in run_checks(include_deployment_checks=True)])
"""


def test_b_handling_events(tmp_path):
    project = own_project(
        tmp_path, B_MODELS, B_TESTS, signals_dot_py=B_SIGNALS, apps_dot_py=B_APPS,
        middleware_dot_py=B_MIDDLEWARE, fixtures__orders_dot_json=FIXTURE,
    )  # fmt: skip
    assert "Ran 7 tests" in project.manage("test", "accounts")


# C


@pytest.mark.django_db(transaction=True)
def test_c_a_post_is_tweeted_once_with_its_title_and_an_update_is_not(cloud, pump):
    load_demo()
    post = Post.objects.create(title="Hello, world")
    post.save()
    pump.drain()
    tweets = [message.text for message in cloud.outbox() if message.channel == "twitter"]
    assert [text.partition("\n")[0] for text in tweets] == ["New blog post! Hello, world"]
    assert Event.objects.filter(action_object=f"demo.post:{post.pk}").count() == 1


@pytest.mark.django_db(transaction=True)
def test_c_unread_notifications_are_polled_read_and_streamed(pump):
    ada = make_user(username="ada")
    contents = {"inbox": {"subject": "{{ instance.title }}", "text": "It is there."}}
    make_trigger(contents=contents, channels=["inbox"], audiences=[make_audience(users=[ada])])
    client = Client(headers={"host": "localhost"})
    client.force_login(ada)
    Post.objects.create(title="Hello, world")
    pump.drain()
    assert Delivery.objects.get().status == "sent"

    polled = client.get("/notifications/inbox/")
    found = polled.json()
    assert (found["unread"], [item["title"] for item in found["items"]]) == (1, ["Hello, world"])
    again = client.get("/notifications/inbox/", headers={"if-none-match": polled.headers["ETag"]})
    assert again.status_code == 304

    # As a browser does that was cut off.
    stream = client.get("/notifications/inbox/stream/", headers={"last-event-id": "0"})
    assert stream.headers["Content-Type"].startswith("text/event-stream")
    told = b"".join(stream.streaming_content if stream.streaming else [stream.content]).decode()
    assert "retry:" in told
    assert "Hello, world" in told

    (item,) = found["items"]
    assert client.post(f"/notifications/inbox/{item['id']}/read/").status_code == 200
    assert client.get("/notifications/inbox/").json()["unread"] == 0
