"""One drawn template or event, taken the way that a real one goes; each returns how it ended, in a word."""

import json
from functools import cache

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.transaction import Atomic
from django.test.utils import setup_databases

from notifier.events.index import index
from notifier.exceptions import NotifierError, TemplateRefused
from notifier.models import Event, Subscription, Trigger
from notifier.queue import publisher
from notifier.templating import snapshot
from notifier.templating.contents import compile_content
from notifier.templating.rendering import EventContent
from tests.support.builders import make_audience, make_template, make_trigger, make_user
from tests.support.grammar import TEXTS, Grammar
from tests.support.walks import condition_of, details, source_of

LINKS = {"preferences_url": "https://example.com/p/x/"}
# What each run saves, by its model.
SAVED = ("shop.parcel", "shop.person", "shop.order", "auth.user", "demo.post", "demo.movie")
PEOPLE = 25


def templates(seed):
    """A content: compiled as at its save, made for one event, rendered for two people and without one."""
    draw = Grammar(seed)
    parts = draw.parts()
    try:
        compiled = compile_content(*parts.values())
    except TemplateRefused:
        return "refused"
    data = json.loads(json.dumps(draw.context(), cls=snapshot.Encoder), cls=snapshot.Decoder)
    content = EventContent(compiled, data, tells_data_apart=draw.chance(2))
    with content.in_its_language():
        return max(_rendered(content, person) for person in (draw.person(), draw.person(), {}))


def _rendered(content, person):
    try:
        content.render(person, LINKS)
    except NotifierError:
        return "stopped"
    except (MemoryError, RecursionError):
        raise
    except Exception as error:
        return f"failed with {type(error).__name__}"
    return "rendered"


def events(seed):
    """A rule on a drawn model, with a drawn template and condition: saved as the admin does, then fired by a
    save.
    """
    objects, draw = _objects(), Grammar(seed)
    with transaction.atomic(), publisher.diverted():
        try:
            return _fired(draw, draw.pick(sorted(objects)), objects)
        finally:
            transaction.set_rollback(True)


def _fired(draw, label, objects):
    instance = objects[label]
    source = source_of(draw, instance.__class__)
    try:
        _make_rule(label, source, condition_of(draw))
    except (NotifierError, ValidationError):
        return "refused"
    if label == "shop.parcel":
        instance.details, instance.label = details(draw), draw.pick(TEXTS)[:50]
    index.refresh(force=True)
    instance.save()
    event = Event.objects.order_by("-pk").first()
    if event is None:
        return "no match"
    if event.status == Event.Status.FAILED:
        return f"failed: {event.reason[:30]}"
    EventContent(compile_content("", source, ""), event.data).render({}, LINKS)
    return "recorded"


def _make_rule(label, source, condition):
    trigger = Trigger(name="drawn", verb="post_save", model=label, condition=condition)
    trigger.full_clean()
    trigger = make_trigger(subscribe=False, verb="post_save", model=label, condition=condition)
    template = make_template({"email": {"subject": "", "text": "x"}})
    subscription = Subscription.objects.create(trigger=trigger, template=template, channels=["email"])
    subscription.audiences.set([make_audience(everyone=True)])
    content = template.contents.get()
    content.text = source
    content.full_clean()
    content.save()


@cache
def _objects():
    """Label → one object of a database of their own, in which many lead to many."""
    setup_databases(verbosity=0, interactive=False)
    # The database outlives the runs, each of which is undone; it is thrown away with the process.
    Atomic(None, True, False).__enter__()
    groups = [Group.objects.create(name=f"group {number}") for number in range(3)]
    person = apps.get_model("shop.person")
    people = [person.objects.create(name=f"person {number}") for number in range(PEOPLE)]
    for number in range(PEOPLE):
        make_user().groups.set(groups)
        people[number].friends.set(people)
        people[number].follows.set(people)
    order = apps.get_model("shop.order").objects.create(number="1", owner=get_user_model().objects.first())
    order.watchers.set(get_user_model().objects.all())
    order.lines.bulk_create(order.lines.model(order=order, name=f"line {number}") for number in range(600))
    movie = apps.get_model("demo.movie").objects.create(title="film")
    movie.audiences.set(get_user_model().objects.all())
    parcel = apps.get_model("shop.parcel").objects.create(label="parcel", order=order)
    post = apps.get_model("demo.post").objects.create(title="post", body="body " * 100_000)
    user = get_user_model().objects.first()
    found = [parcel, people[0], order, user, post, movie]
    return {each._meta.label_lower: each for each in found if each._meta.label_lower in SAVED}
