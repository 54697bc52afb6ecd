"""Writes a page's deliveries by one INSERT … SELECT a channel, from where people and their wishes are stored.
Called by ``fanout``.

Note [two forms]: what one delivery becomes is said in Python: ``addresses.Place``, ``addresses.of_users``,
``plans.version_for``, ``gates.table.FINAL_GATES``, ``flow.Pace``. The statement here says of it what a
database can: where somebody is reached, or why not, and in which language. It leaves out whoever is spoken of
beyond that (an opt-out, an address that may be a suppressed one in another spelling, digests), and they are
written by ``singly``, as is all that ``fits`` refuses. `tests/deliveries/test_sets.py` draws people and holds
the two equal.

Note [who is left]: nobody is looked for twice. Whom the statement has not returned, ``singly`` writes; so
what it leaves out by mistake costs time and nobody's message.
"""

import json

from django.contrib.auth import get_user_model
from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import CharField, F, IntegerField, TextField, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from .. import conf
from ..channels import registry
from ..channels.recipient import MAX_ADDRESS_CHARACTERS, USER_PREFIX
from ..models import ContactPoint, Delivery, OptOut, Preferences, Suppression
from ..people import addresses as addressees, spellings
from ..rules import audiences, plans
from ..templating import languages
from . import rows, singly
from .queueing import DELIVERY_UNHEARD_AFTER

Status = Delivery.Status


def fits(pace, step, users):
    """Whether the statement can write a step to ``users``, a queryset. No query."""
    return (
        not pace.is_shaped
        and (pace.event.expires_at is None or pace.event.expires_at > timezone.now())
        and conf.get("DELIVER_ONLY_TO") is None
        and not any(map(registry.own_gate, step["contents"]))
        and users.db == rows.alias()
        and all(map(_is_told_alike, _columns_of(users, step)))
    )


def _columns_of(users, step):
    """What is read of a user, as the ORM resolves it."""
    columns = addressees.columns_for(step["contents"])
    found = users.annotate(**{f"notifier_{n}": F(each) if isinstance(each, str) else each
                              for n, each in enumerate(["pk", *columns.values()])})  # fmt: skip
    return list(found.query.annotations.values())


def _is_told_alike(column):
    """Whether ``str`` of a column's value is what the database makes of it: true of texts and whole
    numbers.
    """
    field = column.output_field
    is_plain = isinstance(field, CharField | TextField | IntegerField)
    return is_plain and not field.get_db_converters(connections[rows.alias()])


def read_page(users, step, size):
    """Up to ``size`` of a queryset of users, by key: ``(key, what is said of language and zone)``. One
    query.
    """
    wishes = addressees.columns_for(())
    columns = [_text(wishes.get(name)) for name in (addressees.LANGUAGE, addressees.TIME_ZONE)]
    try:
        people, values = _compile(users.order_by("pk").values_list("pk", *columns)[:size])
    except EmptyResultSet:
        return []
    with connections[rows.alias()].cursor() as cursor:
        cursor.execute(_PAGE.format(people=people), values)
        return [(key, tuple(said)) for key, *said in cursor.fetchall()]


def write(pace, step, page, now):
    """Write the deliveries of a page of ``read_page``; returns what was Written.

    A statement a channel, and those of ``singly`` where somebody is left.
    """
    by_said: dict = {}
    for key, said in page:
        by_said.setdefault(said, []).append(key)
    written, users = [], get_user_model()._default_manager
    for channel in step["contents"]:
        found = _insert(pace, step, channel, by_said, now)
        written += found
        if len(found) < len(page):
            names = {row.recipient for row in found}
            left = users.filter(pk__in=[key for key, _said in page if f"{USER_PREFIX}{key}" not in names])
            alone = step | {"contents": {channel: step["contents"][channel]}}
            written += singly.write(pace, alone, singly.read_page(left, alone, None), now)
    return written


def _insert(pace, step, channel, by_said, now):
    """Write what can be said of people on one channel; returns what was Written. One statement.

    ``by_said``: what is said of language and zone → keys.
    """
    connection = connections[rows.alias()]
    people, values = _compile(_people(step, channel))
    select = _SELECT.format(
        page=_KEYS[connection.vendor].format(kind=get_user_model()._meta.pk.rel_db_type(connection)),
        known=", ".join(["(%s, %s, %s, %s)"] * len(by_said)),
        people=people,
        is_plain=spellings.is_plain_mail("found.address", connection.vendor),
    )
    known = [
        each for number, said in enumerate(by_said, 1) for each in (number, *_version(step, channel, said))
    ]
    keys = json.dumps(list(by_said.values()))
    first, due_at = map(connection.ops.adapt_datetimefield_value, (now, now + DELIVERY_UNHEARD_AFTER))
    place, row = [spellings.WHITESPACE, channel], [channel, first, due_at]
    told = [channel, pace.event.category_id is not None, pace.subscription.pk, channel, channel]
    return rows.insert(select, [keys, *known, *values, *place, *row, *told], singly.alike(pace, now))


def _people(step, channel):
    """The people of the page that the statement names: key, whether active, and address."""
    users, columns = get_user_model(), addressees.columns_for(step["contents"])
    is_active = F("is_active") if audiences.has_field(users, "is_active") else Value(True)
    these = users._default_manager.filter(pk__in=RawSQL("SELECT pk FROM page", []))
    return these.order_by().values_list("pk", is_active, _text(columns.get(channel)))


def _version(step, channel, said):
    """``(version, language, time zone)`` for what people have said, as ``addresses.of_users`` has it."""
    language, zone, other_zone = said
    version, spoken = plans.version_for(step, channel, languages.tag_of(language))
    return version, spoken, languages.zone_name(zone) or languages.zone_name(other_zone)


def _text(column):
    blank = Value("", output_field=TextField())
    return Coalesce(Cast(column, TextField()), blank) if column else blank


def _compile(people):
    """``(statement, values)`` of a queryset. Raises EmptyResultSet where it is known to find nobody."""
    return people.query.get_compiler(rows.alias()).as_sql()


_PAGE = f"""
    WITH people (pk, language, time_zone) AS ({{people}})
    SELECT people.pk, COALESCE(NULLIF(chosen.language, ''), people.language),
        COALESCE(chosen.time_zone, ''), people.time_zone
    FROM people LEFT JOIN {Preferences._meta.db_table} AS chosen ON chosen.user_id = people.pk
    ORDER BY people.pk
"""  # noqa: S608 - the table's name is our own

# Of a JSON list of lists of keys, each key and the number of its list. One parameter: thousands of them take
# longer than the rows.
_KEYS = {
    "sqlite": "SELECT key.value, said.key + 1 FROM json_each(%s) AS said, json_each(said.value) AS key",
    "postgresql": "SELECT key.pk::{kind}, said.number "
    "FROM json_array_elements(%s::json) WITH ORDINALITY AS said (keys, number), "
    "json_array_elements_text(said.keys) AS key (pk)",
}

# The columns of `rows.VARYING`, in that order. What is gathered is told from the rows that its index holds.
_SELECT = f"""
    WITH page (pk, number) AS ({{page}}),
    known (number, version, language, time_zone) AS (VALUES {{known}}),
    people (pk, is_active, address) AS ({{people}}),
    place AS (
        SELECT '{USER_PREFIX}' || people.pk AS recipient, people.is_active, chosen.digest,
            TRIM(CASE WHEN point.id IS NULL THEN people.address ELSE point.address END, %s) AS address,
            COALESCE(point.verified, true) AS is_verified, known.version, known.language, known.time_zone
        FROM people JOIN page ON page.pk = people.pk JOIN known ON known.number = page.number
        LEFT JOIN {ContactPoint._meta.db_table} AS point ON point.user_id = people.pk AND point.channel = %s
        LEFT JOIN {Preferences._meta.db_table} AS chosen ON chosen.user_id = people.pk
    ),
    found AS (
        SELECT place.*, CASE
            WHEN NOT COALESCE(is_active, false) THEN 'inactive' WHEN address = '' THEN 'no_address'
            WHEN NOT is_verified THEN 'unverified' ELSE '' END AS reason
        FROM place WHERE LENGTH(address) <= {MAX_ADDRESS_CHARACTERS}
    )
    SELECT version, %s, recipient, address, language, time_zone,
        CASE reason WHEN '' THEN '{Status.QUEUED}' ELSE '{Status.SKIPPED}' END, reason, '',
        CASE WHEN reason <> '' THEN %s END, CASE reason WHEN '' THEN %s END, '', '', false
    FROM found WHERE reason <> '' OR (
        NOT EXISTS (
            SELECT 1 FROM {OptOut._meta.db_table} AS opted
            WHERE opted.recipient = found.recipient AND opted.channel IN (%s, '')
        ) AND (digest IS NULL OR NOT %s OR digest = '' AND NOT EXISTS (
            SELECT 1 FROM {Delivery._meta.db_table} AS gathered
            WHERE gathered.digest AND gathered.status IN ('claimed', 'queued', 'waiting')
                AND gathered.subscription_id = %s AND gathered.recipient = found.recipient
        )) AND (
            NOT EXISTS (SELECT 1 FROM {Suppression._meta.db_table} WHERE channel = %s) OR {{is_plain}}
            AND NOT EXISTS (
                SELECT 1 FROM {Suppression._meta.db_table} AS stopped
                WHERE stopped.channel = %s AND stopped.address = LOWER(found.address)
            )
        )
    )
"""  # noqa: S608 - the tables' names are our own
