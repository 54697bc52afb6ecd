"""Rows that the database has and the file does not: they go, or are said to stay. Called by ``importing``."""

from django.db import transaction
from django.db.models import ProtectedError, RestrictedError

from ..exceptions import TemplateRefused
from ..models import Audience, Category, Subscription, Template, TemplateContent
from . import current
from .applying import Change, is_declared


def remove_the_rest(run):
    """Remove what the file does not have, or say that it stays.

    What code declares is no file's, and code's own rules are not all that there are.
    """
    extra = {
        section: [
            row
            for name, row in rows.items()
            if name not in run.rules[section] and not run.declared and not is_declared(row)
        ]
        for section, rows in run.rows.items()
    }
    subscriptions = [row for row in run.leftover if isinstance(row, Subscription)]
    contents = [row for row in run.leftover if isinstance(row, TemplateContent)]
    kinds = [
        subscriptions,
        extra["triggers"],
        contents,
        extra["templates"],
        extra["audiences"],
        extra["categories"],
    ]
    is_removing = run.prune or run.declared
    for row in [row for kind in kinds for row in kind]:
        run.changes.append(Change(action="removed" if is_removing else "kept", what=_describe(row)))
    if not is_removing or run.problems:
        return
    for row in [*subscriptions, *extra["triggers"], *contents]:
        _delete(run, row, row.delete)
    # Together: one may extend another, which keeps it.
    names = [row.name for row in extra["templates"]]
    _delete(run, None, Template.objects.filter(name__in=names).delete)
    _delete(run, None, Audience.objects.filter(name__in=[row.name for row in extra["audiences"]]).delete)
    _delete(run, None, Category.objects.filter(name__in=[row.name for row in extra["categories"]]).delete)


def _delete(run, row, delete):
    try:
        with transaction.atomic(using=run.alias):
            delete()
    except (ProtectedError, RestrictedError, TemplateRefused) as error:
        run.refuse(
            (), f"{_describe(row) if row else 'What the file does not have'} cannot be removed: {error}"
        )


def _describe(row):
    if isinstance(row, Subscription):
        values = current.subscription_values(row)
        return f"trigger “{row.trigger.name}” → {values['template']} → {', '.join(values['audiences'])}"
    if isinstance(row, TemplateContent):
        return " · ".join(filter(None, [f"template “{row.template.name}”", row.channel, row.language]))
    return f"{row._meta.verbose_name} “{row.name}”"
