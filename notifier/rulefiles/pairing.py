"""Pairs a trigger's subscriptions in the file with those in the database: they have no names.

Called by ``importing``.
"""

from .schema import subscription_key, subscription_order


def pair_subscriptions(wanted, rows, values_of):
    """``([(index in wanted, row or None)], rows without a pair)``.

    The same first; then the same template and audiences; then the same template, so that an audience that was
    added does not become a second subscription beside the old one, and everybody gets it twice; then the same
    audiences.
    """
    left, rows, found = (
        dict(enumerate(wanted)),
        sorted(rows, key=lambda row: subscription_order(values_of(row))),
        {},
    )
    for likeness in (
        subscription_order,
        subscription_key,
        lambda each: each["template"],
        lambda each: sorted(each["audiences"]),
    ):
        for index, each in list(left.items()):
            alike = (row for row in rows if likeness(values_of(row)) == likeness(each))
            if (row := next(alike, None)) is not None:
                rows.remove(row)
                found[index] = row
                del left[index]
    return [(index, found.get(index)) for index in range(len(wanted))], rows
