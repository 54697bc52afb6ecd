"""Rows whose time has come, the urgent first. Used by ``queueing`` and ``fanout``, whose sweep takes them."""

from typing import Any

from django.db.models import QuerySet

from ..models.lanes import SHARES


def read_first(due: QuerySet[Any], limit: int, *columns: str) -> list[Any]:
    """``columns`` of up to ``limit`` rows of ``due``: lane by lane, of each what waits longest.

    For a sweep that runs out of time, each lane keeps its share of the ``limit`` from those before it. A
    statement a lane: one for all would read and sort whatever is due.
    """
    found = {
        lane: list(due.filter(lane=lane).order_by("due_at").values_list(*columns)[:limit]) for lane in SHARES
    }
    rows: list[Any] = []
    for lane in SHARES:
        kept = sum(min(len(found[after]), int(limit * SHARES[after])) for after in SHARES if after > lane)
        rows += found[lane][: limit - len(rows) - kept]
    return rows
