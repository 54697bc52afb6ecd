"""The parts of an explanation: steps in order, up to the one that decided."""

from dataclasses import dataclass, field
from enum import StrEnum

from django.db.models import Model
from django.utils.text import capfirst

from ..channels import registry
from ..models import Delivery, Trigger


class Outcome(StrEnum):
    """The end of it for the person, in the words of a sentence."""

    GOT = "got it"
    NOT = "did not get it"
    WAITS = "has not got it yet"
    DOUBT = "may have got it"
    OFF_RECORD = "did not get it, as far as is on record"
    WOULD = "would get it"
    MIGHT = "might get it"
    WOULD_NOT = "would not get it"


# A model and a key.
Place = tuple[type[Model], int | str]


@dataclass(frozen=True)
class Seen:
    """The observation of one step.

    With an ``outcome`` it has decided. ``about``: where it can be looked at or changed.
    """

    text: str
    outcome: Outcome | None = None
    about: Place | None = None


@dataclass(frozen=True, kw_only=True)
class Step:
    """One line of an explanation.

    ``state`` is ``ok``, ``decided`` or ``open``: not reached, as an earlier one had decided.
    """

    title: str
    state: str
    text: str = ""
    about: Place | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The reason why one person did, or did not, get one thing on one channel; ``channel`` is blank where it
    did not come to channels.
    """

    sentence: str
    outcome: Outcome
    steps: list[Step]
    channel: str = ""
    trigger: Trigger | None = None
    delivery: Delivery | None = None
    # The event, or the object that it was tested for.
    about: Model | None = field(default=None, repr=False)

    @property
    def deciding(self) -> Step | None:
        return next((step for step in self.steps if step.state == "decided"), None)


def walk(case, steps, *, later=(), **values):
    """The Answer of ``(title, function)`` pairs: each function looks at ``case`` and returns what it saw, or
    None for nothing to say.

    None where no step decided. ``later`` are those that an earlier decision spares.
    """
    found, decided = [], None
    for title, look in steps:
        if decided:
            found.append(Step(title=title, state="open"))
        elif seen := look(case):
            decided = seen if seen.outcome else None
            state = "decided" if decided else "ok"
            found.append(Step(title=title, state=state, text=capfirst(seen.text), about=seen.about))
    if decided is None:
        return None
    found += [Step(title=title, state="open") for title, _ in later]
    by = f" {registry.way(case.channel)}" if case.channel else ""
    sentence = f"{case.person.name} {decided.outcome}{by}: {decided.text}"
    return Answer(
        sentence=capfirst(sentence), outcome=decided.outcome, steps=found, channel=case.channel, **values
    )
