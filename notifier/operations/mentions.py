"""What says something of a person in rows that are not theirs: the people whom an event names, others'
inboxes, the admin's log, sign-ins that failed, who wrote a template and who paused something. Called by
``privacy``.

Note [the log]: an entry of the admin's log stays, without its words: that somebody changed a row, and who
did, is the site's to answer for. What the person did themselves stays as it is; it goes with their account.
"""

from django.apps import apps
from django.db import transaction
from django.db.models import Q, TextField
from django.db.models.functions import Cast

from ..channels.recipient import Recipient
from ..models import ContentVersion, Delivery, Event, InboxItem, Pause
from .paging import change, pages, remove
from .retention import ENDED
from .subjects import user_models

# How the name of an author, or of who paused, is cut.
NAME_CHARACTERS = 150


# Events that name the person among those who are to be told


def plans_naming(subject):
    """Yield ``(event, what it says of them)``: addresses, and their key while it is still to be fanned
    out.
    """
    written = Event.objects.filter(emptied_at__isnull=True).annotate(written=Cast("plan", TextField()))
    may_name = Q(written__contains='"address"')
    if subject.user is not None:
        may_name |= Q(written__contains='"users"') & ~Q(status__in=ENDED)
    for page in pages(written.filter(may_name).only("pk", "plan", "status")):
        for event in page:
            if found := [named for named in _named_in(event) if _without(subject, event, named) != named]:
                yield event, found


def remove_from_plans(subject):
    changed = 0
    for event, _found in plans_naming(subject):
        with transaction.atomic():
            # What it names may have been removed for its age meanwhile.
            event = Event.objects.select_for_update().only("pk", "plan", "status").get(pk=event.pk)
            plan = [_step_without(subject, event, step) for step in event.plan]
            changed += Event.objects.filter(pk=event.pk).update(plan=plan)
    return changed


def _named_in(event):
    return [named for step in event.plan for named in step.get("recipients", ())]


def _step_without(subject, event, step):
    if "recipients" not in step:
        return step
    left = [_without(subject, event, named) for named in step["recipients"]]
    return step | {"recipients": [named for named in left if named is not None]}


def _without(subject, event, named):
    """``named`` without the person; None where that is nobody."""
    if "address" in named:
        return None if subject.has(named.get("channel", ""), named["address"]) else named
    if "users" in named and subject.user is not None and event.status not in ENDED:
        left = [key for key in named["users"] if str(key) != str(subject.user.pk)]
        return named if left == named["users"] else {"users": left}
    return named


# Others' inboxes


def items_about(subject):
    """Items of others that are about the person, where no event is left that says so."""
    return _of_others(InboxItem.objects.filter(about__in=subject.labels), subject)


def items_of(events, subject):
    """Items of others that a queryset of events has put there."""
    told = Delivery.objects.filter(event__in=events.order_by().values("pk"))
    return _of_others(InboxItem.objects.filter(delivery__in=told.values("pk")), subject)


def _of_others(items, subject):
    return items if subject.user is None else items.exclude(user=subject.user.pk)


# Names


def names_of_authors(subject):
    """``(queryset, column)`` of what has the name by which they sign in."""
    name = subject.login[:NAME_CHARACTERS]
    if name:
        yield ContentVersion.objects.filter(author=name), "author"
        yield Pause.objects.filter(paused_by=name), "paused_by"


def remove_names(subject):
    return sum(change(rows, **{column: ""}) for rows, column in names_of_authors(subject))


# What other apps keep


def log_entries(subject, own_rows):
    """Entries of the admin's log that say something of the person; None where there is no such log.

    ``own_rows``: the querysets of their rows. See note [the log].
    """
    if not apps.is_installed("django.contrib.admin"):
        return None
    about = Q(pk__in=[])
    if subject.labels:
        account = Recipient.parse(subject.key).user_key
        about |= Q(content_type__in=_kinds(*user_models()), object_id=account)
    for rows in own_rows:
        kinds = _kinds(rows.model)
        about |= Q(
            content_type__in=kinds, object_id__in=rows.order_by().values(as_text=Cast("pk", TextField()))
        )
        if subject.user is not None:
            # Of those that are gone: what the row was called.
            called = Q(object_repr=str(subject.user)) | Q(object_repr__startswith=f"{subject.user} · ")
            about |= Q(content_type__in=kinds) & called
    for address in subject.spellings():
        about |= Q(object_repr__icontains=address) | Q(change_message__icontains=address)
    return apps.get_model("admin.LogEntry").objects.filter(about).exclude(object_repr="", change_message="")


def _kinds(*models):
    kinds = apps.get_model("contenttypes.ContentType").objects
    return [kind.pk for kind in kinds.get_for_models(*models, for_concrete_models=False).values()]


def sign_ins(subject):
    """Querysets of what django-axes keeps of sign-ins by the person's name or addresses."""
    if not apps.is_installed("axes"):
        return
    asked = Q(pk__in=[])
    for name in filter(None, {subject.login, *subject.spellings()}):
        asked |= Q(username__iexact=name)
    for model in apps.get_app_config("axes").get_models():
        if any(field.name == "username" for field in model._meta.concrete_fields):
            yield model._default_manager.filter(asked)


def remove_elsewhere(subject, own_rows):
    entries = log_entries(subject, own_rows)
    cleared = change(entries, object_repr="", change_message="") if entries is not None else 0
    return cleared + sum(remove(rows) for rows in sign_ins(subject))
