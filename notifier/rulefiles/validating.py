"""Validates rows that were written together, by the models' own rules.

Called by ``importing``, which keeps them all, or none.
"""

from django.core.exceptions import ValidationError

from ..models import Subscription


def validate_rows(run):
    """All rows of the file, as they are together. What is wrong is added to ``run.problems``."""
    for row, path, keys in run.written:
        if (
            path in run.broken
            or isinstance(row, Subscription)
            and ("templates", row.template.name) in run.broken
        ):
            continue
        # What was read before others were written is read again.
        row._prefetched_objects_cache = {}
        if isinstance(row, Subscription):
            row.template._prefetched_objects_cache = {}
            _validate_audiences(run, row, path)
        try:
            row.full_clean()
        except ValidationError as error:
            run.refuse_all(path, keys, error)


def _validate_audiences(run, subscription, path):
    """Validate the audiences of the file, with all their subscriptions."""
    for audience in subscription.audiences.exclude(name__in=run.rules["audiences"]):
        for text in audience.problems_with(subscription.trigger):
            run.refuse((*path, "audiences"), f"“{audience.name}”: {text}")
