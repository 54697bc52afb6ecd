"""The people of an audience: what its sources mean, and who is behind them."""

import logging

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from django.db.models import Q

from ..channels import registry
from ..channels.storable import is_storable
from ..exceptions import AudienceRegistrationError, DataRefused
from ..templating import readable, snapshot
from ..templating.keys import find_key
from ..templating.secret_names import may_be_secret

logger = logging.getLogger(__name__)

_callables = {}


def register_audience(name, function):
    """Make ``function(event)`` selectable as an audience called ``name``.

    It runs at the fan-out, not in the request, gets the ``Event`` and returns a queryset of users (read page
    by page), or an iterable of users and address strings. AudienceRegistrationError: no rule can hold its
    name.
    """
    if not isinstance(name, str) or not name or not is_storable(name):
        raise AudienceRegistrationError(f"{name!r} is no name: write characters that a database can hold.")
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
    if channel and channel not in registry.channel_names():
        raise ValueError(
            f"“{line}”: there is no channel “{channel}”. There are: {', '.join(registry.channel_names())}."
        )
    if not path or not all(part.isidentifier() and not part.startswith("_") for part in path.split(".")):
        raise ValueError(
            f"“{line}” is not a path. Write names with dots between them, such as instance.owner."
        )
    if secret := next(filter(may_be_secret, path.split(".")), None):
        raise ValueError(f"“{line}” cannot be used: “{secret}” may be a secret.")
    return channel, path


def parse_address(line):
    """``(channel, address)`` of one line of ``Audience.addresses``. ValueError says what is wrong with it."""
    channel, _, address = (part.strip() for part in line.partition(":"))
    if not address or channel not in registry.channel_names():
        raise ValueError(
            f"“{line}”: write the channel first, as in “email: ops@example.com”. There are: "
            f"{', '.join(registry.channel_names())}."
        )
    return channel, address


def read_lines(audience, field):
    """The lines of an audience's ``paths`` or ``addresses``, parsed.

    One that is wrong is ignored: its channel may be gone since.
    """
    parse = {"paths": parse_path, "addresses": parse_address}[field]
    found = []
    for line in lines_of(getattr(audience, field)):
        try:
            found.append(parse(line))
        except ValueError:
            # The error would quote the line, which can be an address.
            logger.warning(
                "The audience %d has a line in its %s that cannot be used and is ignored.", audience.pk, field
            )
    return found


def select_recipients(event, audiences, frozen, gone=None):
    """``(users, addresses)`` of all sources together: a queryset without doubles, and ``(channel or "",
    address)`` pairs. A source that is not there any more is left out, and a sentence about it added to the
    list ``gone``.
    """
    gone = [] if gone is None else gone
    user_model = get_user_model()
    people, addresses = Q(pk__in=[]), []
    for audience in audiences:
        if audience.everyone:
            people |= Q(is_active=True) if has_field(user_model, "is_active") else ~Q(pk__in=[])
        people |= Q(pk__in=_keys_of(audience, "users"))
        if has_field(user_model, "groups"):
            field = user_model.groups.field
            members = {f"{field.m2m_reverse_field_name()}__in": _keys_of(audience, "groups")}
            people |= Q(
                pk__in=user_model.groups.through.objects.filter(**members).values(field.m2m_field_name())
            )
        addresses += read_lines(audience, "addresses")
        for name in audience.callables:
            people |= _call(name, event, addresses, gone)
    for source in frozen:
        people |= _frozen_people(source, addresses, gone)
    return user_model._default_manager.filter(people), addresses


def _keys_of(audience, name):
    """The keys of an audience's users or groups. A swapped user model gives the column its own name."""
    field = audience._meta.get_field(name)
    return field.remote_field.through.objects.filter(audience=audience).values(field.m2m_reverse_field_name())


def _call(name, event, addresses, gone):
    function = _callables.get(name)
    if function is None:
        logger.warning("Audience function %s is not registered and is ignored.", name)
        gone.append(f"The audience's function “{name}” is not registered any more.")
        return Q(pk__in=[])
    result = function(event)
    if isinstance(result, models.QuerySet):
        return Q(pk__in=result.values("pk"))
    items = list(result or ())
    addresses += [("", item) for item in items if isinstance(item, str)]
    return Q(pk__in=[item.pk for item in items if isinstance(item, get_user_model())])


def _frozen_people(source, addresses, gone):
    if "address" in source:
        addresses.append((source["channel"], source["address"]))
        return Q(pk__in=[])
    if "users" in source:
        found = (find_key(get_user_model(), each) for each in source["users"])
        return Q(pk__in=[key for key in found if key is not None])
    if (related := _related(source)) is None:
        logger.warning("%s of %s is not there any more and is ignored.", source["relation"], source["model"])
        gone.append(f"“{source['relation']}” of {source['model']} is not there any more.")
        return Q(pk__in=[])
    return Q(pk__in=related.values("pk"))


def _related(source):
    """The people behind a relation that an event names, or None: a deployment may have come in between."""
    model = readable.find_model(source["model"])
    try:
        related = getattr(model(pk=model._meta.pk.to_python(source["pk"])), source["relation"]).all()
    except (AttributeError, ValidationError, ValueError, TypeError):
        return None
    return related if issubclass(related.model, get_user_model()) else None


def has_field(model, name):
    """Whether ``model`` has a database field of that name (a swapped user model may lack what Django's own
    has).
    """
    try:
        model._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    return True


def _plain_columns(model):
    columns = (field.name for field in model._meta.concrete_fields if not field.is_relation)
    return {name for name in columns if readable.is_readable(model, name)}


def read_people(keys, tree, *, refused=None):
    """The data that templates read of these people, live: primary key → frozen data.

    One query; only the columns that ``tree`` names, and nothing of other people. ``refused``, a dictionary,
    gets the DataRefused of each person of whom too much is read; without one it is raised.
    """
    if not keys or not tree:
        return {}
    people = get_user_model()._default_manager.filter(pk__in=keys)
    plain = _plain_columns(get_user_model())
    if tree.keys() <= plain and all(branch.keys() <= {""} for branch in tree.values()):
        return {row["pk"]: row for row in people.values("pk", *tree)}
    found = {}
    for person in people:
        try:
            found[person.pk] = snapshot.freeze({"user": person}, {"user": tree}, fresh=True)["user"]
        except DataRefused as error:
            if refused is None:
                raise
            refused[person.pk] = error
    return found
