"""What may be many, a page at a time, each a query of its own: a server-side cursor lives in one connection,
which a pooler in transaction mode takes away after each statement.
"""

PAGE_SIZE = 1000


def pages(rows):
    """Yield lists of PAGE_SIZE rows of a queryset, by key."""
    page = list(rows.order_by("pk")[:PAGE_SIZE])
    while page:
        yield page
        page = list(rows.filter(pk__gt=page[-1].pk).order_by("pk")[:PAGE_SIZE])


def change(rows, **columns):
    """Set ``columns`` of a queryset's rows, a page a statement. Returns how many were changed."""
    changed = 0
    for page in pages(rows.only("pk")):
        changed += rows.model._base_manager.filter(pk__in=[row.pk for row in page]).update(**columns)
    return changed


def remove(rows):
    """Delete a queryset's rows, a page a statement. Returns how many are gone, with what goes along."""
    removed = 0
    for page in pages(rows.only("pk")):
        removed += rows.model._base_manager.filter(pk__in=[row.pk for row in page]).delete()[0]
    return removed
