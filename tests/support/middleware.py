"""Signal middleware as a project writes it, good and bad, and what it saw."""

from django.core.exceptions import MiddlewareNotUsed

from notifier.exceptions import Veto
from notifier.models import Event
from tests.app.models import Note, Parcel

SEEN = []


def _noting(name):
    def factory(record):
        SEEN.append(f"{name} made")

        def middleware(recording):
            SEEN.append(f"{name} before")
            event = record(recording)
            SEEN.append(f"{name} after")
            return event

        return middleware

    return factory


outer, inner = _noting("outer"), _noting("inner")


class AddTenant:
    """A class, with names of its own for templates."""

    provides = ("tenant",)

    def __init__(self, record):
        self.record = record

    def __call__(self, recording):
        recording.context["tenant"] = {
            "name": f"Tenant of {recording.context['action_object']}",
            "secret": "never stored",
        }
        return self.record(recording)


def shout(record):
    """Changes what is frozen, and what the admin shows."""

    def middleware(recording):
        title = recording.context["instance"].title
        recording.context["instance"] = type(recording.context["instance"])(title=f"{title}!")
        event = record(recording)
        event.action_object = "demo.post:loud"
        return event

    return middleware


def refuse(record):
    def middleware(recording):
        raise Veto("The shop is closed.")

    return middleware


def refuse_afterwards(record):
    def middleware(recording):
        record(recording)
        raise Veto("x" * 600 + "\0")

    return middleware


def observe(record):
    def middleware(recording):
        event = record(recording)
        SEEN.append((str(event.status), event.reason, type(recording.error).__name__))
        return event

    return middleware


def describe(record):
    def middleware(recording):
        SEEN.append((recording.verb, recording.created, recording.key, recording.deleting, recording.using))
        return record(recording)

    return middleware


def raising(record):
    def middleware(recording):
        raise ZeroDivisionError("secret words")

    return middleware


def raising_afterwards(record):
    def middleware(recording):
        record(recording)
        raise KeyError("secret words")

    return middleware


def returning_nothing(record):
    return lambda recording: record(recording) and None


def breaking_the_transaction(record):
    def middleware(recording):
        list(Parcel.objects.extra(where=["no_such_column = 1"]))
        return record(recording)

    return middleware


def not_json(record):
    def middleware(recording):
        event = record(recording)
        event.data = {"value": object()}
        return event

    return middleware


def too_much(record):
    def middleware(recording):
        event = record(recording)
        event.data = {"value": "x" * 300_000}
        return event

    return middleware


def emitting(record):
    def middleware(recording):
        from notifier import emit

        emit("post_save", instance=recording.context["instance"], created=True)
        return record(recording)

    return middleware


def writing(record):
    """Keeps a note of its own, in the transaction of the event."""

    def middleware(recording):
        event = record(recording)
        Note.objects.create(text=f"{type(event) is Event}")
        return event

    return middleware


def impossible(record):
    raise RuntimeError("cannot be made")


def unused(record):
    raise MiddlewareNotUsed


def taking_a_name(record):
    return record


taking_a_name.provides = ["instance"]


def taking_a_reserved_name(record):
    return record


taking_a_reserved_name.provides = ["user"]


def providing_a_text(record):
    return record


providing_a_text.provides = "tenant"

NOT_CALLABLE = "a text"


def spoil(record):
    """Puts into an event what no column of a database holds."""

    def middleware(recording):
        event = record(recording)
        SPOILERS.get(recording.trigger.name, SPOILERS["fine"])(event)
        return event

    return middleware


# A trigger's name → what is done to its event.
SPOILERS = {
    "fine": lambda event: None,
    "texts": lambda event: vars(event).update(
        action_object="a\0\udfff" + "x" * 400, actor="b\0", data={"c\0": "d\udfff", "e": [float("nan")]}
    ),
    "number": lambda event: vars(event).update(claim=10**30),
    "plan": lambda event: vars(event).update(plan=[{"subscription": {1, 2}}]),
    "deep": lambda event: vars(event).update(data={"deep": _nested(5000)}),
    "key": lambda event: vars(event).update(key="\udfff", claim=10**30),
}


def _nested(depth):
    found = []
    for _ in range(depth):
        found = [found]
    return found
