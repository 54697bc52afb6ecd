"""Who receives an event: what an audience's sources mean, and the people behind them. Next hop: ``notifier.fanout``."""

import logging

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist
from django.db import models
from django.db.models import Q

from . import channels, snapshot

logger = logging.getLogger(__name__)

# People whom an object names while it is being deleted must be written down now; this many at most.
MAX_FROZEN_PEOPLE = 1000

_callables = {}


def register_audience(name, function):
    """Make ``function(event)`` selectable as an audience called ``name``.

    It runs at the fan-out, not in the request, gets the ``Event`` and returns a queryset of users (read page by page), or an
    iterable of users and address strings.
    """
    _callables[name] = function


def callable_names():
    """Names of the registered functions, sorted."""
    return sorted(_callables)


def lines_of(text):
    """The lines of a text field that hold something."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def parse_path(line):
    """``(channel or "", path)`` of one line of ``Audience.paths``. ValueError says what is wrong with it."""
    channel, _, path = line.rpartition(":")
    channel, path = channel.strip(), path.strip()
    if channel and channel not in channels.channel_names():
        raise ValueError(f"“{line}”: there is no channel “{channel}”. There are: {', '.join(channels.channel_names())}.")
    if not path or not all(part.isidentifier() and not part.startswith("_") for part in path.split(".")):
        raise ValueError(f"“{line}” is not a path. Write names with dots between them, such as instance.owner.")
    if secret := next(filter(snapshot.may_be_secret, path.split(".")), None):
        raise ValueError(f"“{line}” cannot be used: “{secret}” may be a secret.")
    return channel, path


def parse_address(line):
    """``(channel, address)`` of one line of ``Audience.addresses``. ValueError says what is wrong with it."""
    channel, _, address = (part.strip() for part in line.partition(":"))
    if not address or channel not in channels.channel_names():
        raise ValueError(
            f"“{line}”: write the channel first, as in “email: ops@example.com”. There are: {', '.join(channels.channel_names())}."
        )
    return channel, address


def read_lines(audience, field):
    """The lines of an audience's ``paths`` or ``addresses``, parsed. One that is wrong is ignored: its channel may be gone since."""
    parse = {"paths": parse_path, "addresses": parse_address}[field]
    found = []
    for line in lines_of(getattr(audience, field)):
        try:
            found.append(parse(line))
        except ValueError:
            # The error would quote the line, which can be an address.
            logger.warning("The audience %d has a line in its %s that cannot be used and is ignored.", audience.pk, field)
    return found


def freeze_recipients(paths, context, *, deleting):
    """Resolve audience paths on a firing's live objects into plain data that the fan-out reads.

    ``paths`` are ``(channel, path)`` pairs. A relation to many people is stored as a reference and read at the fan-out, so the
    caller's cost does not grow with them; ``deleting`` writes the people down instead, as the relation is about to go.
    A path that leads to no people and no address is logged and ignored.
    """
    found = []
    for channel, path in paths:
        try:
            if (frozen := _freeze_recipient(channel, path, context, deleting)) is not None:
                found.append(frozen)
        except (AttributeError, KeyError, TypeError, ValueError, ObjectDoesNotExist) as error:
            logger.warning("Audience path %s leads nowhere and is ignored: %s", path, type(error).__name__)
    return found


def _freeze_recipient(channel, path, context, deleting):
    *names, last = path.split(".")
    parent = context
    for name in names:
        parent = _step(parent, name)
    if _names_person(parent, last):
        # The key is enough: no query for the person.
        key = getattr(parent, parent._meta.get_field(last).attname)
        return None if key is None else _people([key])
    value = _step(parent, last)
    if isinstance(value, str):
        return {"address": value, "channel": channel} if value.strip() else None
    if isinstance(value, models.Manager) and isinstance(parent, models.Model) and not deleting:
        return _relation(parent, last, value)
    return None if value is None else _people(_keys_in(value))


def _step(parent, name):
    if parent is None:
        return None
    if isinstance(parent, models.Model) and not snapshot.is_readable(parent.__class__, name):
        raise AttributeError(name)
    return parent[name] if isinstance(parent, dict) else getattr(parent, name)


def _names_person(parent, name):
    field = snapshot.single_relation(parent.__class__, name) if isinstance(parent, models.Model) else None
    is_person = field is not None and field.concrete and issubclass(field.related_model, get_user_model())
    return is_person and field.target_field.primary_key


def _relation(parent, name, manager):
    if not issubclass(manager.model, get_user_model()):
        raise TypeError(name)
    return {"relation": name, "model": parent._meta.label_lower, "pk": _as_json(parent.pk)}


def _keys_in(value):
    """The keys of one person or of several. TypeError for anything else."""
    user_model = get_user_model()
    if isinstance(value, user_model):
        return [value.pk]
    if isinstance(value, models.Manager | models.QuerySet) and issubclass(value.model, user_model):
        return value.values_list("pk", flat=True)[:MAX_FROZEN_PEOPLE]
    if isinstance(value, list | tuple | set) and all(isinstance(item, user_model) for item in value):
        return [item.pk for item in value][:MAX_FROZEN_PEOPLE]
    raise TypeError(f"not a person: {type(value).__name__}")


def _people(keys):
    return {"users": [_as_json(key) for key in keys]}


def _as_json(key):
    return key if isinstance(key, int) else str(key)


def select_recipients(event, audiences, frozen):
    """``(users, addresses)`` of all sources together: a queryset without doubles, and ``(channel or "", address)`` pairs."""
    user_model = get_user_model()
    people, addresses = Q(pk__in=[]), []
    for audience in audiences:
        if audience.everyone:
            people |= Q(is_active=True) if has_field(user_model, "is_active") else ~Q(pk__in=[])
        people |= Q(pk__in=_keys_of(audience, "users"))
        if has_field(user_model, "groups"):
            field = user_model.groups.field
            members = {f"{field.m2m_reverse_field_name()}__in": _keys_of(audience, "groups")}
            people |= Q(pk__in=user_model.groups.through.objects.filter(**members).values(field.m2m_field_name()))
        addresses += read_lines(audience, "addresses")
        for name in audience.callables:
            people |= _call(name, event, addresses)
    for source in frozen:
        people |= _frozen_people(source, addresses)
    return user_model._default_manager.filter(people), addresses


def _keys_of(audience, name):
    """The keys of an audience's users or groups. A swapped user model gives the column its own name."""
    field = audience._meta.get_field(name)
    return field.remote_field.through.objects.filter(audience=audience).values(field.m2m_reverse_field_name())


def _call(name, event, addresses):
    function = _callables.get(name)
    if function is None:
        logger.warning("Audience function %s is not registered and is ignored.", name)
        return Q(pk__in=[])
    result = function(event)
    if isinstance(result, models.QuerySet):
        return Q(pk__in=result.values("pk"))
    items = list(result or ())
    addresses += [("", item) for item in items if isinstance(item, str)]
    return Q(pk__in=[item.pk for item in items if isinstance(item, get_user_model())])


def _frozen_people(source, addresses):
    if "address" in source:
        addresses.append((source["channel"], source["address"]))
        return Q(pk__in=[])
    if "users" in source:
        return Q(pk__in=source["users"])
    parent = snapshot.find_model(source["model"])(pk=source["pk"])
    return Q(pk__in=getattr(parent, source["relation"]).values("pk"))


def has_field(model, name):
    """Whether ``model`` has a database field of that name (a swapped user model may lack what Django's own has)."""
    try:
        model._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    return True


def read_people(keys, tree):
    """What templates read of these people, live: primary key → frozen data. One query; only the columns that ``tree`` names."""
    if not keys or not tree:
        return {}
    people = get_user_model()._default_manager.filter(pk__in=keys)
    plain = {field.name for field in get_user_model()._meta.concrete_fields if not field.is_relation}
    if tree.keys() <= plain and all(branch.keys() <= {""} for branch in tree.values()):
        return {row["pk"]: row for row in people.values("pk", *tree)}
    return {person.pk: snapshot.freeze({"user": person}, {"user": tree})["user"] for person in people}
