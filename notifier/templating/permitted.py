"""Decides what an event may hold: asked when a rule is saved, and again when its data is frozen.

By model: nothing of what people sign in with, of logs about that, or of Notifier's own rows. By column: none
whose name (``secret_names``) or class says that it is a secret. By way: from the person who receives, never
to other people. How much it may be is the affair of ``budget``.

Called by ``readable`` and ``snapshot``, and by whatever checks a rule or offers a model.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from django.contrib.auth import get_user_model
from django.core.signals import setting_changed
from django.db.models import F, Model
from django.utils.translation import gettext as _

from .. import conf
from ..exceptions import UnreadablePath
from .fields import fields_by_name, is_reverse, key_columns
from .paths import PathTree
from .secret_names import is_called_secret, may_be_secret

OWN_APP = "notifier"
# Apps and models by their labels: sign-ins, what opens them, who may do what, and logs of what other rows
# held.
NEVER = frozenset({
    "sessions", "user_sessions", "usersessions", "authtoken", "knox", "token_blacklist", "oauth2_provider",
    "oidc_provider", "social_django", "socialaccount", "mfa", "two_factor", "passkeys", "webauthn", "trench",
    "axes", "defender", "auditlog", "easyaudit", "reversion", "silk", "admin.logentry",
    "account.emailconfirmation", "auth.permission", "guardian",
})  # fmt: skip
# Tables of live sessions inherit from the class in it, which cannot be imported before there are
# settings.
SESSIONS = "django.contrib.sessions.base_session"
# django-otp has an app for each kind of device.
NEVER_PREFIXES = ("otp_", "django_otp")
# Read by themselves, and leading nowhere: all that there is of a kind is behind its type.
ENDS = frozenset({"contenttypes.contenttype"})
# Parts of the names of fields' classes: EncryptedTextField, PasswordField, FernetJSONField.
SECRET_FIELDS = ("encrypt", "fernet", "secret", "password", "hashed", "apikey")

# Where a way from the person who receives stands: at themselves, or past them.
AT_PERSON, PAST_PERSON = "at", "past"
# What stands between a relation to many and the names of its objects.
STEPS = frozenset({"all", "*", "first", "last"})


def is_model(kind: Any) -> bool:
    """Whether ``kind`` is a model class, and not an object or another class."""
    return isinstance(kind, type) and issubclass(kind, Model)


@lru_cache(maxsize=2048)
def is_own(kind: Any) -> bool:
    """Whether ``kind`` is a model of Notifier's own rows."""
    return is_model(kind) and any(each._meta.app_label == OWN_APP for each in _tables_of(kind))


@lru_cache(maxsize=2048)
def is_never(kind: Any) -> bool:
    """Whether no event may hold anything of the model ``kind``, not even a key."""
    if not is_model(kind):
        return False
    if any(each.__module__ == SESSIONS for each in kind.__mro__):
        return True
    if any(map(_is_secret_column, kind._meta.pk_fields)):
        return True
    return any(_is_named(each) or is_called_secret(each.__name__) for each in _tables_of(kind))


def _is_named(model: Any) -> bool:
    label, of_model = model._meta.app_label.lower(), model._meta.label.lower()
    never = {OWN_APP, *NEVER, *(each.lower() for each in conf.get("NEVER") if isinstance(each, str))}
    return label in never or of_model in never or label.startswith(NEVER_PREFIXES)


def _tables_of(model: Any) -> Iterator[Any]:
    """``model`` and those that it inherits from, proxies as well."""
    return (each for each in model.__mro__ if hasattr(each, "_meta") and not each._meta.abstract)


def refusal(kind: Any) -> str:
    """Why no rule may be about the model ``kind``, as a sentence; blank where it may."""
    if is_own(kind):
        return _("“%s” is a row of Notifier itself: a rule about it would notify of itself without end.") % (
            kind._meta.label_lower
        )
    if is_never(kind):
        return _(
            "No rule can be about “%s”: it may hold what people sign in with, or what was logged of them, "
            "and no event and no message may hold that. Choose another model."
        ) % (kind._meta.label_lower)
    return ""


@lru_cache(maxsize=16384)
def is_withheld(model: Any, name: str) -> bool:
    """Whether no event may hold what objects of ``model`` have as ``name``: a secret, or a way to one."""
    if may_be_secret(name):
        return True
    if (relation := key_columns(model).get(name)) is not None:
        return _leads_to_never(relation) or _is_secret_column(relation)
    field = fields_by_name(model).get(name)
    if field is None:
        return False
    if not field.is_relation:
        return _is_secret_column(field)
    is_end = model._meta.label_lower in ENDS and (field.many_to_many or is_reverse(field))
    return is_end or _leads_to_never(field) or _is_secret_class(field)


def _leads_to_never(field: Any) -> bool:
    return field.related_model is not None and is_never(field.related_model)


def _is_secret_column(field: Any) -> bool:
    """Whether the value in a column is a secret by its name or class, or copies one that is."""
    if may_be_secret(field.name) or _is_secret_class(field):
        return True
    if field.is_relation:
        return _is_secret_column(field.target_field)
    return field.generated and any(may_be_secret(name) for name in _names_in(field.expression))


def _is_secret_class(field: Any) -> bool:
    names = (each.__name__.lower() for each in type(field).__mro__)
    return any(fragment in name for name in names for fragment in SECRET_FIELDS)


def _names_in(expression: Any) -> Iterator[str]:
    if isinstance(expression, F):
        yield expression.name
    elif hasattr(expression, "get_source_expressions"):
        for each in expression.get_source_expressions():
            yield from _names_in(each)


def is_person(kind: Any) -> bool:
    """Whether objects of the model ``kind`` are people: users, by a proxy, a child or a parent as well."""
    user = get_user_model()
    return is_model(kind) and (issubclass(kind, user) or issubclass(user, kind))


@lru_cache(maxsize=4096)
def way_on(model: Any, name: str, way: str) -> str:
    """Where a way from the person who receives stands after ``name`` of ``model``; blank where there is none.

    There are their own columns, what they lead to, and one relation of other rows whose own key is the
    person's; past any of these, only what such a row itself leads to, and no person any more.
    """
    if is_withheld(model, name):
        return ""
    field = fields_by_name(model).get(name)
    if field is None or not field.is_relation:
        return PAST_PERSON
    is_other_end = is_reverse(field) or field.one_to_many
    if is_other_end and (way != AT_PERSON or field.many_to_many):
        return ""
    if field.related_model is None or is_person(field.related_model):
        # What a generic key leads to may be anybody. A child's row is of the same person.
        return PAST_PERSON if getattr(field, "parent_link", False) and is_other_end else ""
    return PAST_PERSON


def check_person(tree: PathTree) -> None:
    """Raise UnreadablePath where ``tree``, what is read of ``user``, leads from the person who receives to
    other people, or to what no event may hold.
    """
    _check_way(get_user_model(), tree, "user", AT_PERSON)


def _check_way(model: Any, tree: PathTree, here: str, way: str) -> None:
    for name, branch in tree.items():
        if not name:
            continue
        place, ahead = f"{here}.{name}", way_on(model, name, way)
        if not ahead:
            raise UnreadablePath(_why_not(model, name, place))
        field = fields_by_name(model).get(name)
        if field is None or not field.is_relation:
            continue
        for steps, inner in _objects_in(branch, field.many_to_many or field.one_to_many):
            _check_way(field.related_model, inner, f"{place}{steps}", ahead)


def _objects_in(tree: PathTree, is_many: bool) -> Iterator[tuple[str, PathTree]]:
    """What is read of the objects that a relation leads to, and the steps to them."""
    if not is_many:
        yield "", tree
        return
    for step in STEPS & tree.keys():
        if step == "all":
            yield from ((f".all{steps}", inner) for steps, inner in _objects_in(tree["all"], is_many))
        else:
            yield "" if step == "*" else f".{step}", tree[step]


def _why_not(model: Any, name: str, place: str) -> str:
    if is_withheld(model, name):
        return f"“{place}” cannot be used: it may be a secret, or lead to one."
    return (
        f"“{place}” leads from the person who receives the message to other people. Of the person there is "
        "what their own row says and leads to, and one list of rows that are theirs, with what each leads to."
    )


def _forget(*, setting, **_signal):
    if setting in ("NOTIFIER", "AUTH_USER_MODEL"):
        for decided in (is_never, is_own, is_withheld, way_on):
            decided.cache_clear()


setting_changed.connect(_forget)
