"""A trigger as the rules in memory hold it. Made by ``loading``, kept by ``index``, matched by
``matching``.
"""

from dataclasses import dataclass, field
from functools import cached_property

from ..models import Lane
from ..rules.conditions import Condition
from ..rules.plans import Plan
from ..templating.paths import PathTree


@dataclass(frozen=True, kw_only=True)
class LiveTrigger:
    """A trigger as the index holds it. ``plan`` and ``paths`` are what its events will store.

    ``condition_problem`` is why its condition cannot be used, if it cannot: then the trigger matches nothing.
    """

    pk: int
    verb: str
    name: str = ""
    model: str = ""
    object_pk: str = ""
    on: str = "any"
    actor_model: str = ""
    actor_pk: str = ""
    target: str = ""
    shadow: bool = False
    category: int | None = None
    lane: int = Lane.NORMAL  # type: ignore[assignment]  # Django brings no types
    delay_minutes: int | None = None
    expires_minutes: int | None = None
    plan: Plan = field(default_factory=list)
    paths: PathTree = field(default_factory=dict)
    # Subscription id → the `(channel or "", path)` lines of its audiences.
    recipient_paths: dict[int, list[tuple[str, str]]] = field(default_factory=dict)
    providers: tuple[str, ...] = ()
    condition: Condition | None = None
    condition_problem: str = ""

    @cached_property
    def previous_names(self) -> frozenset[str]:
        """The names after ``previous`` that its condition, templates and audiences read; "" stands for the
        row itself.
        """
        paths = (path.split(".") for lines in self.recipient_paths.values() for _channel, path in lines)
        named = {names[1] if names[1:] else "" for names in paths if names[0] == "previous"}
        return frozenset(named.union(self.paths.get("previous", ())))
