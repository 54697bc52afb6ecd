"""Opens the admin's pages as a person does, and asks PostgreSQL how it found what they show."""

import json
import time
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.http import urlencode

from notifier.admin.outcomes.deliveries import DeliveryAdmin
from notifier.admin.reading import MOST_COUNTED
from notifier.channels.recipient import Recipient
from notifier.models import Delivery, Event

from . import million

FEW, MANY = 1_000, 1_000_000
ROUNDS = 5
DELIVERIES = "/admin/notifier/delivery/"
TABLE = Delivery._meta.db_table


@dataclass(frozen=True)
class Look:
    """What one page took: its statements with those of them that read all deliveries, and the best of its
    times.
    """

    statements: list
    scanning: list
    seconds: float


def compare():
    """``(page, statements, seconds with FEW, seconds with MANY, whether one reads all deliveries)`` of every
    page. Empties the database.
    """
    call_command("migrate", verbosity=0, interactive=False)
    looks = []
    for number in (FEW, MANY):
        call_command("flush", verbosity=0, interactive=False)
        million.seed(number)
        client = sign_in()
        looks.append({name: look(client, path, rounds=ROUNDS) for name, path in pages().items()})
    few, many = looks
    return [
        (name, len(many[name].statements), few[name].seconds, many[name].seconds, bool(many[name].scanning))
        for name in many
    ]


def sign_in():
    """A Client of somebody who may see everything."""
    name = f"looker{time.monotonic_ns()}"
    user = get_user_model().objects.create_superuser(name, f"{name}@example.com")
    # A client names the host of Django's tests.
    if "testserver" not in settings.ALLOWED_HOSTS:
        settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver"]
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def pages():
    """Name → path of every page that must stay fast, for the data that there is."""
    number = Delivery.objects.count()
    middle = Delivery.objects.order_by("pk")[number // 2]
    sent = Delivery.objects.filter(status="sent", channel="email").order_by("-pk").first()
    person = get_user_model().objects.get(pk=Recipient.parse(sent.recipient).user_key)
    day = timezone.localtime(middle.created_at).date()
    filters = {
        "plain": {},
        **{f"status {status}": {"status__exact": status} for status in ["open", *Delivery.Status.values]},
        **{f"channel {channel}": {"channel": channel} for channel in ("email", "sms", "twitter")},
        "status and channel": {"status__exact": "failed", "channel": "sms"},
        "sent by a rare channel": {"status__exact": "sent", "channel": "twitter"},
        "reason": {"reason": "message_rejected"},
        "a rare reason": {"reason": "template_failed"},
        "a reason that there is not": {"reason": "nothing"},
        "event": {"event__id__exact": middle.event_id},
        "a day long ago": {"created": day.isoformat()},
        "a day and a channel": {"created": day.isoformat(), "channel": "twitter"},
        "search by number": {"q": middle.pk},
        "search by address": {"q": sent.address},
        "search by part of an address": {"q": sent.address[:-4]},
        "search by provider id": {"q": sent.provider_id},
        "search by name": {"q": person.get_username()},
        "search for nothing there": {"q": "nobody at all"},
        "search in an event": {"q": "nobody at all", "event__id__exact": middle.event_id},
        "search in a status": {"q": "nobody at all", "status__exact": "failed"},
        "page 2": {"p": 2},
        "last page": {"p": min(MOST_COUNTED, number) // DeliveryAdmin.list_per_page},
    }
    found = {f"deliveries, {name}": f"{DELIVERIES}?{urlencode(chosen)}" for name, chosen in filters.items()}
    found["a delivery"] = f"{DELIVERIES}{middle.pk}/change/"
    found["events"] = "/admin/notifier/event/"
    found["an event"] = f"/admin/notifier/event/{Event.objects.latest('pk').pk}/change/"
    found |= {f"overview, {each}": f"/admin/notifier/overview/?range={each}" for each in ("24h", "7d", "30d")}
    return found


def look(client, path, *, rounds=1):
    """Open ``path`` and return the Look. Raises LookupError when there is no such page."""
    times = []
    for _ in range(rounds):
        with CaptureQueriesContext(connection) as captured:
            started = time.perf_counter()
            answer = client.get(path)
            times.append(time.perf_counter() - started)
        # Django's list sends who asks for what it cannot do to `?e=1`, and for a page that there is not to
        # the first.
        if answer.status_code != 200:
            raise LookupError(f"{path} is answered with {answer.status_code}.")
    statements = [query["sql"] for query in captured if query["sql"].startswith(("SELECT", "\n    SELECT"))]
    return Look(
        statements,
        [statement for statement in statements if TABLE in statement and scans(statement)],
        min(times),
    )


def scans(statement):
    """Whether PostgreSQL would read the whole table of deliveries for ``statement``."""
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (FORMAT JSON) " + statement.replace("%", "%%"), [])
        (plan,) = cursor.fetchone()
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return any(
        node["Node Type"] == "Seq Scan" and node["Relation Name"] == TABLE for node in _nodes(plan[0]["Plan"])
    )


def _nodes(node):
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)
