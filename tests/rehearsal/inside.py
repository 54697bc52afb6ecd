"""What a rehearsal does and asks in the website that it has deployed: Zappa's handler calls these by name.

Goes into the throw-away project as ``project/rehearsal.py``. Each takes Lambda's ``(event, context)`` and
returns what JSON can hold.
"""

import json

from django.db import connection

from notifier.models import Delivery, Event
from notifier.rulefiles import texts
from project.demo.models import Post

NAME = "Rehearsal"
TEXT = "{{ instance.title }}"
# Channel → the parts of a content; of the others, a text is enough.
PARTS = {"email": {"subject": TEXT, "text": TEXT}, "webhook": {"subject": TEXT, "text": TEXT}}
CONNECTIONS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE usename = current_user AND datname = current_database() AND backend_type = 'client backend'
"""


def set_up(event, context):
    """One rule: whatever post is made is told to ``event["addresses"]``, each ``"channel: address"``."""
    channels = sorted({line.partition(":")[0] for line in event["addresses"]})
    contents = [{"channel": channel, **PARTS.get(channel, {"text": TEXT})} for channel in channels]
    subscription = {"template": NAME, "channels": channels, "audiences": [NAME]}
    document = {
        "version": 1,
        "audiences": {NAME: {"addresses": event["addresses"]}},
        "templates": {NAME: {"contents": contents}},
        "triggers": {NAME: {"signal": "post_save", "model": "demo.post", "subscriptions": [subscription]}},
    }
    return len(texts.import_text(json.dumps(document), file_format="json", source=NAME))


def post(event, context):
    """Make a post; returns how many there are."""
    Post.objects.create(title=f"Post {Post.objects.count() + 1}")
    return Post.objects.count()


def outcomes(event, context):
    """How many events there are, and what has come of each message so far, the oldest first."""
    columns = ("event", "channel", "address", "status", "reason", "detail", "returned", "attempts")
    rows = Delivery.objects.filter(event__trigger__name=NAME).order_by("pk")
    return {"events": Event.objects.count(), "messages": list(rows.values(*columns))}


def connections(event, context):
    """How many connections this user has now, and how many the server takes."""
    with connection.cursor() as cursor:
        cursor.execute(CONNECTIONS)
        (number,) = cursor.fetchone()
        cursor.execute("SHOW max_connections")
        return {"open": number, "most": int(cursor.fetchone()[0])}
