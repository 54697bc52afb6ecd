"""Limits: what a provider takes in a time, as channels declare it; ``gates.rates`` keeps to them."""

from dataclasses import dataclass

# A twentieth of a second is more than what a function is late by itself, and costs five of a hundred slots at
# most.
GRACE_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """``number`` messages in any ``seconds``. Of these, ``burst`` may come at once after a quiet time.

    A provider that names no number but says when it has enough has a Limit of no number: everybody goes until
    `push` closes it.
    """

    number: float | None = None
    seconds: float = 1
    burst: int = 0

    @property
    def interval(self) -> float:
        """Seconds from one slot to the next. See ``gates.rates``, note [late]."""
        return (self.seconds + GRACE_SECONDS) / (self.number - self.burst) if self.number else 0.0

    def __str__(self) -> str:
        spans: dict[float, str] = {1: "a second", 60: "a minute", 3600: "an hour"}
        span = spans.get(self.seconds, f"in {self.seconds:g} seconds")
        return f"{self.number:g} {span}" if self.number else "as many as the provider takes"
