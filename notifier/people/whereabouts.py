"""The whereabouts of people at this moment: is the account still there, and where is it reached on a channel?

Called by ``deliveries.claims``: between the fan-out and the claim lies a second, or a day in a digest.

Note [one look]: most people have opted out of nothing and have no quiet hours, and most addresses take what
they get. So the statement that says where people are says as well whether any of the rows exist that could
refuse one of them, and only where there are some is the gate asked that reads them.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import IntegerField, OuterRef, Subquery
from django.db.models.expressions import RawSQL

from ..channels.recipient import Recipient, user_keys
from ..models import ContactPoint, Delivery, Preferences
from ..templating import keys, languages
from .addresses import TIME_ZONE, Place, columns_for, read_page

# By name, a SELECT and its values, of which it is asked whether there is a row.
Questions = dict[str, tuple[str, Sequence[Any]]]
# The primary keys of the users among the rows → Questions.
Ask = Callable[[Collection[Any]], Questions]
# Of a row, beside what `columns_for` names.
POINT, IS_VERIFIED, CHOSEN_ZONE, YESES = "@point", "@verified", "@chosen", "@yeses"
GONE = "user_deleted"


class Whereabouts(NamedTuple):
    """One person's place on a channel, and time zone; ``reason`` says why nothing can be sent there, or is
    blank.
    """

    address: str
    reason: str
    time_zone: str


def find_all(rows, channel):
    """Recipient → Whereabouts, of the users among rows that have a ``recipient``; GONE who has no account.

    One query, or none where no row is a user's.
    """
    return look(rows, channel, lambda _keys: {})[0]


def look(rows, channel, ask):
    """As ``find_all``, and the names of the questions that were answered with no, of those that ``ask``
    gives. ``rows`` are stored deliveries. One query.
    """
    names, keys = {str(Recipient.of_user(key)) for key in user_keys(rows)}, primary_keys(rows)
    questions = ask(keys)
    if not names:
        # The one row that is there for certain.
        one = Delivery.objects.filter(pk=rows[0].pk).annotate(notifier_yeses=_yeses(questions))
        return {}, _nos(questions, one.values_list("notifier_yeses", flat=True)[0]) if questions else set()
    read = _rows(keys, channel, questions)
    found = {str(Recipient.of_user(row["pk"])): _read(row, channel) for row in read}
    nos = _nos(questions, read[0][YESES]) if read else set()
    return {**dict.fromkeys(names, Whereabouts("", GONE, "")), **found}, nos


def _yeses(questions):
    """A whole number with a bit for each question: the ORM's own EXISTS takes longer for some hundred values,
    and is converted for each row.
    """
    texts = enumerate(text for text, _values in questions.values())
    bits = [f"CASE WHEN EXISTS ({text}) THEN {1 << at} ELSE 0 END" for at, text in texts]
    values = [value for _, values in questions.values() for value in values]
    return RawSQL(" + ".join(bits) or "0", values, output_field=IntegerField())  # noqa: S611 - the texts are ours


def _nos(questions, yeses):
    return {name for at, name in enumerate(questions) if not yeses >> at & 1}


def primary_keys(rows):
    """The primary keys of the users among rows that have a ``recipient``; some texts are no key."""
    users = get_user_model()
    return {key for text in set(user_keys(rows)) if (key := keys.find_key(users, text)) is not None}


def _rows(keys, channel, questions):
    points = ContactPoint.objects.filter(user=OuterRef("pk"), channel=channel)
    wishes = Preferences.objects.filter(user=OuterRef("pk"))
    users = get_user_model()._default_manager.filter(pk__in=keys).annotate(
        notifier_point=Subquery(points.values("address")),
        notifier_verified=Subquery(points.values("verified")),
        notifier_zone=Subquery(wishes.values("time_zone")),
        notifier_yeses=_yeses(questions),
    )  # fmt: skip
    more = {POINT: "notifier_point", IS_VERIFIED: "notifier_verified", CHOSEN_ZONE: "notifier_zone"}
    more[YESES] = "notifier_yeses"
    # No limit: a path to an address may give a person several rows, and nobody may be missed.
    return read_page(users, columns_for([channel]) | more, None)


def _read(row, channel):
    # A contact point comes first, also where nothing can be sent to it.
    has_point = row[IS_VERIFIED] is not None
    place = Place.of(
        row[POINT] if has_point else row.get(channel),
        is_verified=row[IS_VERIFIED] if has_point else True,
        is_active=row.get("is_active", True),
    )
    zone = languages.zone_name(row[CHOSEN_ZONE]) or languages.zone_name(row.get(TIME_ZONE))
    return Whereabouts(place.address, place.reason, zone)
