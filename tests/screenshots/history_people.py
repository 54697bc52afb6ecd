"""The rest of the past: what people chose, what came back, and what it may cost. Called by ``history``."""

import datetime as dt

from django.contrib.auth import get_user_model
from django.utils import timezone

from notifier import feedback
from notifier.feedback import recording
from notifier.inbox import items
from notifier.models import (
    Audience,
    Budget,
    Category,
    ContactPoint,
    Delivery,
    Device,
    Feedback,
    OptOut,
    Preferences,
    Subscription,
    Template,
    TemplateContent,
    Trigger,
)
from notifier.people import opt_outs, suppression
from project.demo import rules

BOUNCE = "550 5.1.1 The mailbox does not exist."
CORRECTED = "{{ instance.title }} was corrected"
ITEMS = [
    # title, text, link, icon
    ("Your parcel is on its way", "It should be with you on Thursday.", "/admin/", "📦"),
    ("Welcome to the shop", "Here you find what we have told you.", "", ""),
]


def person(username):
    return get_user_model().objects.get(username=username)


def set_up():
    """Choices and rules that the month's messages then follow."""
    offers = Category.objects.get(name="offers")
    opt_outs.opt_out(f"user:{person('opted_out').pk}", offers.pk, "email", OptOut.Source.MAIL)
    opt_outs.opt_out(f"user:{person('dunya').pk}", None, "sms", OptOut.Source.PAGE)
    ContactPoint.objects.create(user=person("ada"), channel="email", address="ada.lovelace@example.com")
    suppression.suppress("sms", "+44 7400 123403", suppression.Reason.BY_HAND, "He asked us on the phone.")
    for number, (username, platform) in enumerate([("ada", "apns"), ("bo", "fcm"), ("bo", "fcm")]):
        token = f"c{number}F3kqPzR7yWm0xV9hT2nL5sD8bG1jA4uE6"
        Device.objects.create(
            user=person(username), platform=platform, token=token, seen_at=timezone.now(), enabled=number < 2
        )
    for channel, dollars in ("sms", 800), ("email", 60):
        Budget.objects.create(channel=channel, monthly_usd=dollars)
    _add_flowing_rule()
    robin = person(rules.ADMIN)
    for title, text, link, icon in ITEMS:
        items.add_item(robin.pk, title=title, text=text, link=link, icon=icon)
    items.mark_read(robin.pk, [row.pk for row in items.unread_of(robin.pk).filter(icon="")])


def _add_flowing_rule():
    """To the inbox first; and to the editors together, once an hour."""
    corrected = Trigger.objects.create(
        name="Post corrected", verb="post_save", model="demo.post", on="updated"
    )
    first = Template.objects.create(name="post_corrected")
    for channel in ("inbox", "email"):
        TemplateContent.objects.create(
            template=first, channel=channel, subject=CORRECTED, text="{{ instance.body }}"
        )
    together = Template.objects.create(name="corrections_of_the_hour")
    TemplateContent.objects.create(
        template=together, channel="email", subject="Corrected posts",
        text="{% for event in events %}{{ event.instance.title }}\n{% endfor %}",
    )  # fmt: skip
    editors = Audience.objects.create(name="Editors", addresses="email: editors@example.com")
    order = Subscription.Order.INBOX_FIRST
    Subscription.objects.create(
        trigger=corrected, template=first, channels=["inbox", "email"], order=order, wait_minutes=120
    ).audiences.add(Audience.objects.get(name="Everyone"))
    Subscription.objects.create(
        trigger=corrected, template=together, channels=["email"], digest_minutes=60
    ).audiences.add(editors)


def hear_back():
    """One mail has arrived, and one came back for good; and people say when they want the next ones."""
    Preferences.objects.create(
        user=person("ada"),
        quiet_from=dt.time(22),
        quiet_until=dt.time(7),
        time_zone="Europe/London",
        language="en",
    )
    Preferences.objects.create(user=person("bo"), digest=Preferences.Digest.DAILY)
    mails = Delivery.objects.filter(channel="email", status="sent", event__trigger__name="Flash sale created")
    arrived, bounced = (mails.get(recipient=f"user:{person(name).pk}") for name in ("bo", "chidi"))
    for delivery, kind, detail in (
        (arrived, Feedback.Kind.DELIVERED, ""),
        (bounced, Feedback.Kind.BOUNCED, BOUNCE),
    ):
        came_back = kind == Feedback.Kind.BOUNCED
        recording.record(
            feedback.Report(
                channel="email", kind=kind, key=f"past:{delivery.pk}", message_id=delivery.provider_id,
                permanent=came_back, happened_at=timezone.now(), sent_at=delivery.finished_at,
                addresses=(delivery.address,), delivery_id=delivery.pk, detail=detail,
                suppress=str(suppression.Reason.BOUNCED) if came_back else "",
            )
        )  # fmt: skip


def keys():
    """As `history.keys`."""
    robin, flowing = person(rules.ADMIN), Delivery.objects.filter(reason="if_unread").last()
    return {
        "category": Category.objects.get(name="offers").pk,
        "opt_out": OptOut.objects.last().pk,
        "preferences": Preferences.objects.get(user__username="ada").pk,
        "suppression": suppression.find("sms", "+44 7400 123403").pk,
        "inbox_item": items.unread_of(robin.pk).last().pk,
        "device": Device.objects.first().pk,
        "budget": Budget.objects.get(channel="sms").pk,
        "bounced": Delivery.objects.get(returned="bounced").pk,
        "flowing": Trigger.objects.get(name="Post corrected").pk,
        "flowing_event": flowing.event_id,
        "flowing_delivery": flowing.pk,
        **_links(),
    }


def _links():
    """What stands behind the links of messages: of a person, of a plain address, and of none."""
    from notifier.people import link_tokens

    offers, security = (Category.objects.get(name=name).pk for name in ("offers", "security"))
    ada, dunya, lee = (f"user:{person(name).pk}" for name in ("ada", "dunya", "opted_out"))
    plain = Delivery.objects.filter(recipient__startswith="address:", channel="email").last()
    return {
        "link_of_person": link_tokens.sign("preferences", dunya, 0),
        "link_of_address": link_tokens.sign("preferences", plain.recipient, plain.pk),
        "unsubscribe": link_tokens.sign("unsubscribe", ada, 0, offers, "sms"),
        "unsubscribed": link_tokens.sign("unsubscribe", lee, 0, offers, "email"),
        "cannot": link_tokens.sign("unsubscribe", ada, 0, security, "email"),
    }
