"""Every error the project raises on purpose. The docstring says what to do next."""

import datetime as dt
from collections.abc import Iterable
from typing import Protocol


class NotifierError(Exception):
    """Base of all errors below."""


class ConfigurationError(NotifierError):
    """A setting is missing or wrong. The text names the setting and what it should hold."""


class SenderRefused(NotifierError):
    """No mail can have this sender. Its text says why, and the form to write, without the setting's name."""


class SignalRegistrationError(NotifierError):
    """A signal was registered under a taken or unusable name, or with an argument that templates need for
    themselves.
    """


class Veto(NotifierError):
    """A signal middleware raises it to refuse an event.

    Its text is the reason that people read; nothing is sent.
    """


class EmitError(NotifierError):
    """``emit`` or ``emit_bulk`` was called with what makes no event.

    The text says what is wrong and what to write instead.
    """


class ProviderRegistrationError(NotifierError):
    """A context provider was registered under a taken name, or with variables that something else gives.

    Choose other names.
    """


class AudienceRegistrationError(NotifierError):
    """A function was registered as an audience under a name that no column holds. Choose another name."""


class ProviderFailed(NotifierError):
    """A context provider raised, or returned no dict. Mend the function; the log has its trace."""


class DataRefused(NotifierError):
    """An event cannot hold what a template, a condition or an audience reads: the text says what to send
    instead.
    """


class UnreadablePath(NotifierError):
    """A template or an audience names something that events do not store.

    Name a field, a relation or an allowed method.
    """


class ConditionRefused(NotifierError):
    """A trigger's condition cannot be used: its text says which word, and what to write instead."""


class TemplateRefused(NotifierError):
    """A template cannot be saved: its text says what and, where known, on which line.

    ``part`` is one of ``templating.contents.PARTS``; ``line`` counts from 1, or is None.
    """

    def __init__(self, message: str, *, part: str = "", line: int | None = None) -> None:
        super().__init__(message)
        self.part, self.line = part, line


class DeclarationRefused(NotifierError):
    """A rule that code declares cannot be one. The text says what to write instead."""


class TemplateTooLarge(NotifierError):
    """Rendering went past a bound (output, loop iterations).

    Shorten the template or the list it loops over.
    """


class MalformedMessage(NotifierError):
    """A queue message that this project did not write.

    It belongs in the dead-letter queue, at the first receive.
    """


class SendError(NotifierError):
    """A channel's answer for one delivery that did not go out.

    Raise one of those below; a channel raises no ``Later``.

    ``reason`` is a short snake_case code that people filter by; the text is the detail they read.
    It never holds an address, a body or a secret.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason, self.detail = reason, detail


class Skipped(SendError):
    """Not to be sent, and nobody's failure: the address is unusable, or the person opted out.

    Nothing was asked of the provider.
    """


class Rejected(SendError):
    """The provider will never take this message. Not tried again by itself; a person may retry it."""


class TryAgain(SendError):
    """The provider did not take it now, and certainly did not send it.

    Tried again after ``after_seconds``, or by backoff.
    """

    def __init__(self, reason: str, detail: str = "", *, after_seconds: int | None = None) -> None:
        super().__init__(reason, detail)
        self.after_seconds = after_seconds


class Later(SendError):
    """Not now, by our own choice (quiet hours, a rate): it waits until ``due_at`` without having been tried,
    however long that is.
    """

    def __init__(self, reason: str, detail: str = "", *, due_at: dt.datetime) -> None:
        super().__init__(reason, detail)
        self.due_at = due_at


class OutcomeUnknown(SendError):
    """No answer in time: it may or may not have been sent.

    Sent again where the channel is at-least-once, else left for a person.
    """


class LeftOpen(SendError):
    """Its provider cannot tell either whether it was sent: a person looks it up. A channel raises
    ``OutcomeUnknown``.
    """


class PlacedProblem(Protocol):
    """One thing that is wrong in a file of rules, and where; see ``rulefiles.places.FileProblem``."""

    @property
    def path(self) -> tuple[str | int, ...]: ...

    @property
    def line(self) -> int | None: ...

    @property
    def text(self) -> str: ...


class RulesFileRefused(NotifierError):
    """A file of rules cannot be imported: ``problems`` has all that is wrong, each with its place. Nothing
    was saved.
    """

    def __init__(self, problems: Iterable[PlacedProblem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = list(problems)


class UnknownPerson(NotifierError):
    """Nobody, or more than one person, is meant by what was written. The text says what to write instead."""


class UnknownSubject(NotifierError):
    """Neither an event nor an object has this name.

    Write an event's number, or app_label.model:key.
    """
