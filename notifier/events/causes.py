"""What has caused an event: the event whose sending, or fan-out, has fired its rule. Called by ``recording``.

Whoever runs a project's code for an event (its audiences, providers, channels, receivers) does so in
``caused_by``; what is recorded meanwhile is caused by that event, and by what has caused that one.

Note [chains]: rules that fire one another would never end: a mail is sent, a receiver saves that it was, a
rule mails it. So a chain has MOST_IN_A_CHAIN events. And as each of them can cause several, a rule that is
in the chain already comes back MOST_REPEATS times at most among all that its first event has caused. Rules
that are not, come as often as they fire: there are only so many. Two functions that count at the same moment
may both record one more.
"""

from collections.abc import Iterable
from contextvars import ContextVar, Token

from django.db import router

from ..models import Event, Trigger

# Nobody means a mail to cause a mail eight times over; where one does, each link is a rule of its own.
MOST_IN_A_CHAIN = 8
MOST_REPEATS = 8
MAX_NAME_CHARACTERS = 40
WAY_OUT = "Let a condition of one of these rules leave out what the others cause."

# Keys of an event and of its trigger.
Link = list[int]


class Cause:
    """The events on behalf of which something runs; of several, the one with the longest chain counts.

    Read when something is recorded, and never otherwise.
    """

    def __init__(self, event_ids: Iterable[int]) -> None:
        self._event_ids = event_ids
        self._repeats: dict[int, int] = {}
        # The events before the one that is recorded, the first of all first.
        self.chain: list[Link] | None = None
        self._tokens: list[Token[Cause | None]] = []

    # Not a generator's: it is entered for each message, twice.
    def __enter__(self) -> None:
        self._tokens.append(_current.set(self))

    def __exit__(self, *_error: object) -> None:
        _current.reset(self._tokens.pop())

    def read(self) -> list[Link]:
        """The chain, as it would be that of the next event. One query, once."""
        if self.chain is None:
            rows = _events().filter(pk__in=self._event_ids).values_list("pk", "trigger", "causes")
            self.chain = max(
                ([*(causes or ()), [pk, rule]] for pk, rule, causes in rows), key=len, default=[]
            )
        return self.chain

    def refuse(self, trigger: int) -> str:
        """The reason why the event of a trigger would be one too many; blank if it is not."""
        chain = self.read()
        if len(chain) >= MOST_IN_A_CHAIN:
            what = f"a chain of {len(chain)} events that fire one another"
            return f"{_in_words(chain, trigger)}: {what}. {WAY_OUT}"
        if self._count_repeats(trigger) >= MOST_REPEATS:
            rest = f"its first event has caused it {MOST_REPEATS} times. {WAY_OUT}"
            return f"{_in_words(chain, trigger)}: a rule that causes itself, and {rest}"
        return ""

    def note(self, trigger: int) -> None:
        """One more event of the trigger is being recorded."""
        if trigger in self._repeats:
            self._repeats[trigger] += 1

    def _count_repeats(self, trigger: int) -> int:
        """How many events of a trigger the chain's first has caused; 0 of one that is not in the chain."""
        chain = self.read()
        if trigger not in (rule for _event, rule in chain):
            return 0
        if trigger not in self._repeats:
            first = chain[0][0]
            # Keys grow: what came before the first is not looked at.
            same = _events().filter(trigger=trigger, pk__gt=first, causes__0__0=first)
            self._repeats[trigger] = len(same.order_by().values_list("pk")[:MOST_REPEATS])
        return self._repeats[trigger]


_current: ContextVar[Cause | None] = ContextVar("notifier_cause", default=None)


def caused_by(*event_ids: int) -> "Cause":
    """``with caused_by(…)``: inside it, what is recorded was caused by one or another of these events."""
    return Cause(event_ids)


def current() -> Cause | None:
    """The cause of what is recorded now; None where it is somebody's own doing."""
    return _current.get()


def _events():
    return Event.objects.using(router.db_for_write(Event))


def _in_words(chain: list[Link], trigger: int) -> str:
    """“Rule A → Rule B → Rule A …”, up to the first rule that comes back."""
    rules = [rule for _event, rule in chain] + [trigger]
    named = dict(
        Trigger.objects.using(router.db_for_write(Event)).filter(pk__in=rules).values_list("pk", "name")
    )
    shown: list[int] = []
    for rule in rules:
        shown.append(rule)
        if rule in shown[:-1]:
            break
    more = " …" if len(shown) < len(rules) else ""
    return " → ".join(_short(named.get(rule, f"rule {rule}")) for rule in shown) + more


def _short(name: str) -> str:
    return name if len(name) <= MAX_NAME_CHARACTERS else f"{name[: MAX_NAME_CHARACTERS - 1]}…"
