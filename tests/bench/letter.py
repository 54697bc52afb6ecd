"""The message that is measured, its rule, and the people who get it."""

import datetime as dt

from django.contrib.auth import get_user_model
from django.utils import timezone

from notifier.events.index import index
from notifier.models import Audience, Delivery, Event, Subscription, Template, TemplateContent, Trigger
from project.demo.models import FlashSale

# About 25 nodes with a loop, a condition and three personal fields.
HTML = """<h1>{{ instance.title }}</h1><p>Hello {{ user.first_name }} {{ user.last_name }},</p>
{% if instance.discount_percent > 20 %}<p><strong>{{ instance.discount_percent }} % off</strong>
until {{ instance.ends_at|date:"j F H:i" }}</p>
{% else %}<p>A small sale of {{ instance.discount_percent }} %</p>{% endif %}
<ul>{% for word in instance.words %}<li>{{ forloop.counter }}. {{ word }}</li>{% endfor %}</ul>
<p>{{ instance.description|linebreaks }}</p>
<p><a href="{{ instance.url }}">{{ instance.url }}</a> · {{ instance.title|upper }}</p>
<p>Sent to {{ user.email }}. {{ instance.title }} {{ instance.url }}</p>"""
TEXT = (
    "{{ instance.title }}, {{ user.first_name }} {{ user.last_name }}: {{ instance.url }} ({{ user.email }})"
)
INSTANCE = {
    "title": "48 hours of linen", "discount_percent": 30,
    "ends_at": dt.datetime(2026, 5, 1, 22, tzinfo=dt.UTC), "words": ["shirts", "sheets", "towels", "bags"],
    "description": "While they last.\n\nNo more after that.", "url": "https://shop.example.com/linen",
}  # fmt: skip
# As a real row can say it: of it, the loop is over five letters.
SALE_HTML = HTML.replace("instance.words", 'instance.title|slice:":5"')
PARTS = {"subject": "{{ instance.title }} for {{ user.first_name }}", "text": TEXT, "html": SALE_HTML}


def unsaved_sale():
    return FlashSale(**{name: value for name, value in INSTANCE.items() if name != "words"})


def save_sale():
    unsaved_sale().save(force_insert=True)


def silent_event(pk):
    """One more event like that of the key ``pk``, of which no function hears. Returns its key."""
    event = Event.objects.get(pk=pk)
    event.pk = None
    event.save(force_insert=True)
    return event.pk


def make_rule(model, parts=PARTS, **values):
    """A trigger of each new row of ``model``, with a mail to all active users. Returns its subscription."""
    name = f"{model} {Trigger.objects.count()}"
    template = Template.objects.create(name=name)
    TemplateContent.objects.create(template=template, channel="email", **parts)
    trigger = Trigger.objects.create(**({"name": name, "verb": "post_save", "model": model} | values))
    subscription = Subscription.objects.create(trigger=trigger, template=template, channels=["email"])
    subscription.audiences.add(Audience.objects.create(name=name, everyone=True))
    index.refresh(force=True)
    return subscription


def enable(*triggers):
    """Let these triggers live, and no others."""
    keys = [each.pk for each in triggers]
    Trigger.objects.filter(pk__in=keys).update(enabled=True)
    Trigger.objects.exclude(pk__in=keys).update(enabled=False)
    index.refresh(force=True)


def make_people(number):
    """As many active users as there are to be, all in all."""
    user_model = get_user_model()
    people = (
        user_model(username=f"u{n}", first_name=f"First{n}", last_name=f"Last{n}", email=f"u{n}@example.com")
        for n in range(user_model.objects.count(), number)
    )
    user_model.objects.bulk_create(people, batch_size=1000)


def finish_all():
    """No delivery waits for anybody any more: what follows finds none of what came before."""
    open_ones = Delivery.objects.filter(finished_at__isnull=True)
    open_ones.update(status=Delivery.Status.CANCELLED, finished_at=timezone.now(), due_at=None)
