"""A month of deliveries in seconds, on PostgreSQL, for measuring the lists. Called by
``tests.bench.paging``.
"""

from django.db import connection, transaction

from notifier.models import Audience, Delivery, Event, Subscription, Template, TemplateContent, Trigger
from notifier.operations import counts

EVENTS, PEOPLE = 200, 50_000
CHANNELS = ("email", "sms", "twitter")


def seed(number):
    """Write ``number`` deliveries of 200 events to 50,000 people over 30 days, count them, and let PostgreSQL
    look at what it has.

    Seven in ten are mails, one in a thousand is a post. 89 % were sent, 8 % skipped, 2 % failed; of the
    newest, some wait.
    """
    template = Template.objects.create(name="sale")
    contents = [
        TemplateContent.objects.create(template=template, channel=channel, text=".") for channel in CHANNELS
    ]
    trigger = Trigger.objects.create(name="sale", verb="post_save", model="demo.flashsale")
    subscription = Subscription.objects.create(trigger=trigger, template=template, channels=list(CHANNELS))
    subscription.audiences.add(Audience.objects.create(name="everyone", everyone=True))
    names = {
        "number": number, "events": EVENTS, "people": PEOPLE, "trigger": trigger.pk,
        "subscription": subscription.pk, "versions": [content.version_id for content in contents],
        "channels": list(CHANNELS),
    }  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        # Every row's event is there: asking for each takes longer than writing them.
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in (_PEOPLE, _EVENTS, _DELIVERIES):
            cursor.execute(statement, names)
        cursor.execute("SET LOCAL session_replication_role = origin")
    counts.keep()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


_PEOPLE = """
    INSERT INTO auth_user (username, email, first_name, last_name, password, is_superuser, is_staff,
        is_active, date_joined)
    SELECT 'person' || n, 'person' || n || '@example.com', 'First', 'Last', '', false, false, true, now()
    FROM generate_series(1, %(people)s) AS n
"""
_EVENTS = f"""
    INSERT INTO {Event._meta.db_table}
        (trigger_id, verb, action_object, actor, explanation, data, plan, status, reason, cursor, created_at)
    SELECT %(trigger)s, 'post_save', 'demo.flashsale:' || n, '', '[]', '{{}}', '[]', 'done', '', '{{}}',
        now() - interval '30 days' + n * interval '30 days' / %(events)s
    FROM generate_series(0, %(events)s - 1) AS n
"""
_DELIVERIES = f"""
    INSERT INTO {Delivery._meta.db_table}
        (event_id, subscription_id, version_id, channel, recipient, address, language, time_zone, status,
            reason, detail,
         provider_id, attempts, cost_micros, created_at, finished_at, due_at, returned, follows,
             followed_by, digest)
    SELECT event, %(subscription)s, (%(versions)s::bigint[])[channel], (%(channels)s::text[])[channel],
        'user:' || person,
        CASE WHEN reason = 'no_address' THEN '' WHEN channel = 1 THEN 'person' || n || '@example.com' ELSE
            '+44' || 7400000000 + n END,
        '', '', status, reason, '', CASE status WHEN 'sent' THEN 'provider-' || n ELSE '' END, 1,
        CASE status WHEN 'sent' THEN 100 ELSE 0 END, time,
        CASE WHEN status NOT IN ('queued', 'waiting') THEN time + interval '5 seconds' END,
        CASE WHEN status IN ('queued', 'waiting') THEN now() + interval '1 hour' END, '', '', '', false
    FROM (
        SELECT n, (SELECT min(id) FROM {Event._meta.db_table}) + (n - 1) * %(events)s / %(number)s AS event,
            (SELECT min(id) FROM auth_user WHERE username LIKE 'person%%') + n %% %(people)s AS person,
            CASE WHEN n %% 1000 = 7 THEN 3 WHEN n %% 10 < 7 THEN 1 ELSE 2 END AS channel,
            now() - interval '30 days' + n / 500 * 500 * (interval '30 days' / %(number)s) AS time,
            CASE WHEN n > %(number)s * 0.999 THEN CASE n %% 3 WHEN 0 THEN 'waiting' ELSE 'queued' END
                WHEN dice < 80 THEN 'skipped' WHEN dice < 100 THEN 'failed' WHEN dice = 100 THEN 'unknown'
                ELSE 'sent' END AS status,
            CASE WHEN n > %(number)s * 0.999 THEN '' WHEN dice < 60 THEN 'no_address'
                WHEN dice < 80 THEN 'opted_out' WHEN dice < 99 THEN 'message_rejected'
                WHEN dice = 99 THEN 'template_failed' WHEN dice = 100 THEN 'no_answer'
                ELSE '' END AS reason
        FROM (SELECT n, n * 7919::bigint %% 1000 AS dice FROM generate_series(1, %(number)s) AS n) AS numbers
    ) AS rows
    ORDER BY n
"""
