"""What no event may hold is refused when a rule is saved, and left out when its data is frozen: also of rules
that came past the forms. By model and by column.
"""

import json

import pytest
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.auth import signals as auth_signals
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core import checks, signals as core_signals
from django.core.exceptions import ValidationError
from django.db.backends import signals as backend_signals
from django.db.models import signals as db_signals
from django.db.models.signals import post_save
from django.dispatch import Signal
from django.test import signals as test_signals
from django.utils import timezone

from notifier import emit, emit_bulk, notify_on
from notifier.admin.choices import model_choices, verb_choices
from notifier.events import loading
from notifier.events.context import context_of
from notifier.events.index import index
from notifier.events.receivers import Receivers
from notifier.exceptions import EmitError, RulesFileRefused, UnreadablePath
from notifier.explaining import foreseen
from notifier.models import ContentVersion, Event, Trigger
from notifier.rulefiles.texts import import_text
from notifier.rules import declarations, offers, signals
from notifier.templating import budget, readable, snapshot
from notifier.templating.codec import Encoder
from project.demo.models import Post
from tests.app.models import Parcel
from tests.support.builders import make_audience, make_event, make_trigger, make_user
from tests.support.observing import registering

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]
register = registering

NEVER = {
    "live sessions": "sessions.session",
    "sign-ins that failed": "axes.accessattempt",
    "sign-ins that failed for now": "axes.accessfailurelog",
    "sign-ins": "axes.accesslog",
    "what was done in the admin": "admin.logentry",
    "an inbox": "notifier.inboxitem",
    "push tokens": "notifier.device",
    "events": "notifier.event",
    "rules": "notifier.trigger",
}
EACH_MODEL = pytest.mark.parametrize("label", NEVER.values(), ids=NEVER)
SECRET = "k3y0fal1vesessi0n"


def make_session(key=SECRET):
    return Session.objects.create(session_key=key, session_data=f"data-{key}", expire_date=timezone.now())


def all_that_is_stored():
    """Everything in every event's row, as text."""
    rows = Event.objects.values()
    return json.dumps(list(rows), cls=Encoder, default=str)


@EACH_MODEL
@pytest.mark.parametrize("verb", ["post_save", "pre_delete", "m2m_changed", "post_init", "pre_init"])
def test_a_rule_about_it_is_refused(label, verb):
    with pytest.raises(ValidationError) as refused:
        Trigger(name="t", verb=verb, model=label).full_clean()
    assert label in str(refused.value.message_dict["model"])


@EACH_MODEL
def test_a_rule_about_it_as_the_actor_is_refused(label):
    with pytest.raises(ValidationError, match=label):
        Trigger(name="t", verb="user_logged_in", actor_model=label).full_clean()


@EACH_MODEL
def test_it_is_not_offered(label):
    assert label not in [value for _group, models in model_choices()[1:] for value, _words in models]


def test_signals_that_fire_at_each_row_read_are_not_offered():
    offered = [name for _group, each in verb_choices(with_inner=True)[1:] for name, _words in each]
    assert not {"pre_init", "post_init"} & set(offered)


@EACH_MODEL
def test_a_file_of_rules_with_it_is_refused(label):
    text = f"version: 1\ntriggers:\n  t:\n    signal: post_save\n    model: {label}\n"
    with pytest.raises(RulesFileRefused, match=label):
        import_text(text)
    assert not Trigger.objects.exists()


@EACH_MODEL
def test_a_rule_in_code_about_it_is_an_error_of_check(label, monkeypatch):
    monkeypatch.setattr(declarations, "_declared", {})
    notify_on("post_save", key="t", model=label, channels="email", audience="a", template="t")
    found = checks.run_checks(tags=[checks.Tags.compatibility])
    assert [each.id for each in found if label in each.msg] == ["notifier.E013"]


@EACH_MODEL
def test_a_rule_that_came_past_the_forms_is_heard_by_nobody_and_said_to_be_wrong(label, caplog):
    loading._log_once.cache_clear()
    trigger = make_trigger(model=label)
    assert index.live("post_save") == ()
    assert f"The trigger {trigger.pk} fires nothing" in caplog.text
    model = readable.find_model(label)
    assert all(lookup[0] != ("notifier", "post_save") for lookup in _receivers_of(model))
    found = checks.run_checks(tags=[checks.Tags.database], databases=["default"])
    assert {each.id for each in found if label in each.msg} == {"notifier.W021"}


def _receivers_of(model):
    return [entry[0] for entry in post_save.receivers if entry[0][1] == id(model)]


@EACH_MODEL
def test_before_the_rules_are_read_nobody_listens_to_it_either(label):
    receivers = Receivers()
    receivers.keep(None)
    senders = {sender for _signal, sender in receivers._connected.values()}
    receivers.keep([])
    assert Post in senders
    assert readable.find_model(label) not in senders


def test_a_session_that_is_saved_says_its_key_to_nobody():
    make_trigger(model="sessions.session", contents={"email": {"text": "{{ instance.pk }} {{ instance }}"}})
    make_session()
    assert not Event.objects.exists()


# What a signal may bring an object in, and a tree that reads all of it.
WHOLE = {"": {}, "pk": {"": {}}, "session_key": {"": {}}, "session_data": {"": {}}, "*": {"": {}}}
CARRIERS = {
    "by itself": lambda found: found,
    "in a list": lambda found: [found],
    "in a tuple of lists": lambda found: ([found], 1),
    "in a dictionary": lambda found: {"it": found},
    "in a query": lambda found: Session.objects.all(),
    "in a slice of a query": lambda found: Session.objects.all()[:1],
    "in SQL": lambda found: Session.objects.raw("SELECT * FROM django_session"),
    "as a manager": lambda found: Session.objects,
    "as rows of values": lambda found: Session.objects.values_list("session_key"),
    "as values": lambda found: Session.objects.values_list("session_key", flat=True),
    "as values by name": lambda found: Session.objects.values("session_key", "session_data"),
    "as a view of a dictionary": lambda found: {"it": found}.values(),
    "in a set": lambda found: {found},
}


@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS)
def test_an_argument_that_is_such_an_object_is_not_kept(carrier, register, request):
    name = f"carried {request.node.callspec.id}"
    carried = register(name, ["thing"])
    trigger = make_trigger(verb=name, model="", contents={"email": {"text": "{{ thing }}"}})
    ContentVersion.objects.update(paths={"thing": WHOLE | {"all": WHOLE}})
    make_audience()
    trigger.save()
    carried.send(sender=None, thing=carrier(make_session()))
    assert Event.objects.get().trigger_id == trigger.pk
    assert SECRET not in all_that_is_stored()


ROLES = {
    "what it happened to": {"object": "it"},
    "who did it": {"actor": "it"},
    "what it was about": {"target": "it"},
    "nothing that was said": {},
}


@pytest.mark.parametrize("role", ROLES.values(), ids=ROLES)
def test_nor_is_its_key_kept_where_it_is(role, register, request):
    name = f"role {request.node.callspec.id}"
    signal = register(name, ["it", "action_object"], **role)
    text = "{{ action_object }}{{ action_object.pk }}{{ actor_object.pk }}{{ target }}{{ it }}"
    make_trigger(verb=name, model="", contents={"email": {"text": text}})
    session = make_session()
    signal.send(sender=None, it=session, action_object=session)
    assert Event.objects.get().action_object == "sessions.session"
    assert SECRET not in all_that_is_stored()


def test_what_a_middleware_and_a_provider_bring_is_asked_as_well(settings):
    settings.NOTIFIER = settings.NOTIFIER | {"MIDDLEWARE": [f"{__name__}.bring_a_session"]}
    make_trigger(contents={"email": {"text": "{{ brought }}"}})
    make_session()
    Post.objects.create(title="x")
    assert Event.objects.get().data == {"brought": {"safe": 1, "in": [{"deep": 2}], "it": None}}


def bring_a_session(record):
    def middleware(recording):
        inner = {"api-key": SECRET, "deep": 2}
        recording.context["brought"] = {"safe": 1, "in": [inner], "it": Session.objects.get(), "PIN": 1}
        return record(recording)

    return middleware


bring_a_session.provides = ("brought",)


WAYS = {
    "the admin's log of a user": ("auth.user", "instance.logentry_set.all"),
    "how much is in it": ("auth.user", "instance.logentry_set.count"),
    "all people by a permission": ("auth.group", "instance.permissions.all.user_set.all"),
    "all groups by a permission": ("auth.group", "instance.permissions.all.group_set.all"),
    "all permissions by a type": ("auth.group", "instance.permissions.all.content_type.permission_set.all"),
    "the log by a type": ("auth.group", "instance.permissions.all.content_type.logentry_set.all"),
}


def tree_of(path, end=None):
    tree = end or {"": {}, "*": {"": {}, "pk": {"": {}}}}
    for name in reversed(path.split(".")):
        tree = {name: {"*": tree} if name == "all" and "" not in tree else tree}
    return tree


@pytest.mark.parametrize(("label", "path"), WAYS.values(), ids=WAYS)
def test_a_way_that_leads_to_it_is_refused_and_leads_to_nothing(label, path):
    with pytest.raises(UnreadablePath):
        offers.check_paths(tree_of(path), Trigger(verb="post_save", model=label))
    with pytest.raises(UnreadablePath):
        offers.check_audience_path(path, Trigger(verb="post_save", model=label))
    user = make_user(username="b0ss")
    kind = ContentType.objects.get_for_model(User)
    LogEntry.objects.create(user=user, content_type=kind, object_repr=SECRET, action_flag=ADDITION)
    found = snapshot.freeze({"instance": _instance(label, user, kind)}, tree_of(path))
    assert SECRET not in json.dumps(found, cls=Encoder)
    assert "b0ss" not in json.dumps(found, cls=Encoder)


def _instance(label, user, kind):
    if label == "auth.user":
        return user
    group = readable.find_model(label).objects.create(name="all")
    permission = kind.permission_set.first()
    group.permissions.add(permission)
    user.user_permissions.add(permission)
    return group


def test_the_project_adds_to_them(settings):
    make_trigger(model="demo.post")
    settings.NOTIFIER = settings.NOTIFIER | {"NEVER": ["demo.Post", "shop"]}
    with pytest.raises(ValidationError, match="demo.post"):
        Trigger(name="t", verb="post_save", model="demo.post").full_clean()
    index.refresh(force=True)
    Post.objects.create(title="x")
    assert not Event.objects.exists()
    found = snapshot.freeze({"a": Parcel(pk=1, label="b"), "c": Post(pk=1)}, {"a": WHOLE, "c": WHOLE})
    assert found == {"a": None, "c": None}


DJANGO = (db_signals, core_signals, auth_signals, test_signals, backend_signals)
OWN = {
    "an event": lambda: make_event(),
    "a rule": lambda: make_trigger(),
    "an audience": lambda: make_audience(),
}


@pytest.mark.parametrize("make", OWN.values(), ids=OWN)
def test_nothing_is_told_of_notifiers_own_rows(make, register, request):
    name = f"own {request.node.callspec.id}"
    own = register(name, ["thing"], object="thing")
    make_trigger(verb=name, model="")
    row = make()
    with pytest.raises(EmitError, match="row of Notifier itself"):
        emit(name, instance=row)
    with pytest.raises(EmitError, match="row of Notifier itself"):
        emit_bulk([row], verb=name)
    with pytest.raises(EmitError, match="row of Notifier itself"):
        emit_bulk(type(row).objects.all(), verb=name)
    own.send(sender=None, thing=row)
    own.send(sender=type(row), thing=None)
    assert not Event.objects.filter(verb=name, action_object__startswith="notifier").exists()


def test_a_signal_about_such_a_model_has_no_rule(register):
    register("session_seen", {"session": Session}, object="session")
    with pytest.raises(ValidationError, match=r"sessions\.session"):
        Trigger(name="t", verb="session_seen").full_clean()
    register("post_seen", {"session": Session, "post": Post})
    with pytest.raises(UnreadablePath, match="session"):
        offers.check_paths({"session": {"pk": {"": {}}}}, Trigger(verb="post_seen"))


def test_no_signal_of_django_offers_columns_without_their_names():
    django_s = {each for module in DJANGO for each in vars(module).values() if isinstance(each, Signal)}
    found = [each for each in map(signals.get, signals.names()) if each.signal in django_s]
    assert {"pre_init", "user_login_failed", "request_started"} <= {each.name for each in found}
    held = {each.name: set(each.args) for each in found}
    bags = {"args", "kwargs", "credentials", "environ", "scope", "request", "value", "plan"}
    assert {name: args & bags for name, args in held.items() if args & bags} == {}


def test_nor_the_keys_of_what_it_is_about():
    """Of a relation to such a model, ``pk_set`` holds what opens them."""
    told = {"instance": make_user(), "model": Session, "pk_set": {SECRET}, "action": "post_add"}
    told |= {"reverse": False, "using": "default"}
    assert context_of(signals.get("m2m_changed"), None, told)["pk_set"] is None
    told["model"] = Post
    assert context_of(signals.get("m2m_changed"), None, told)["pk_set"] == {SECRET}


def test_what_was_before_a_save_is_asked_as_well():
    user = make_user(password=SECRET)
    trigger = make_trigger(model="auth.user")
    tree = {"previous": {"password": {"": {}}, "first_name": {"": {}}, "": {}}}
    ContentVersion.objects.update(paths=tree)
    trigger.save()
    user.save()
    assert "first_name" in Event.objects.get().data["previous"]
    assert SECRET not in all_that_is_stored()


def test_the_page_that_explains_says_that_too_much_would_be_read(monkeypatch):
    monkeypatch.setattr(budget, "MAX_OBJECTS", 0)
    trigger, post = make_trigger(), Post(pk=1, title="x")
    (live,) = index.live("post_save")
    event = foreseen.event_for(trigger, live, foreseen.context_for(trigger, post), post)
    assert (event.data, event.reason[:9]) == ({}, "More than")
