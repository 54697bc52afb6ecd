"""The signed-in user of the request did it, where a signal names nobody; and nobody is looked up whom nobody
asks for.
"""

import asyncio

import pytest
from asgiref.sync import iscoroutinefunction, sync_to_async
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import connection
from django.dispatch import Signal
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils.functional import SimpleLazyObject

from notifier.events import actors
from notifier.events.actors import ActorMiddleware
from notifier.models import Event
from project.demo.models import Post
from tests.support.builders import make_audience, make_trigger, make_user
from tests.support.observing import register
from tests.support.statements import statements

pytestmark = pytest.mark.one_database

POSTS = "/admin/demo/post/add/"


@pytest.fixture
def ada(db):
    return make_user(username="ada", first_name="Ada", is_staff=True, is_superuser=True)


class Request:
    """A request that counts how often somebody looks who is signed in."""

    def __init__(self, user=None):
        self.looks = 0
        self.user = SimpleLazyObject(lambda: self._look(user or AnonymousUser()))

    def _look(self, user):
        self.looks += 1
        return user


def handle(request, view):
    return ActorMiddleware(lambda request: view())(request)


def make_post(**values):
    return Post.objects.create(title="Linen", **values)


@pytest.mark.django_db
def test_what_a_signed_in_person_saves_in_the_admin_is_theirs(client, ada):
    make_trigger(
        condition='actor_object.username == "ada"',
        contents={"email": {"text": "{{ actor_object.get_full_name }}"}},
        audiences=[make_audience(paths="actor_object")],
    )
    client.force_login(ada)
    assert client.post(POSTS, {"title": "Linen"}).status_code == 302
    event = Event.objects.get()
    assert event.actor == f"auth.user:{ada.pk}"
    assert event.data["actor_object"]["get_full_name"] == "Ada"
    assert event.plan[0]["recipients"] == [{"users": [ada.pk]}]


TRIGGERS = [
    # the trigger, whether Ada's save is its, whether anonymous ones are, why not
    ({}, True, True, ""),
    ({"actor_model": "auth.user"}, True, False, "no actor is known"),
    ({"condition": "actor_object"}, True, False, "condition is false: actor_object is empty"),
    ({"condition": "not actor_object"}, False, True, ""),
    ({"condition": "actor_object is None"}, False, True, ""),
    (
        {"condition": 'actor_object.username == "bo"'},
        False,
        False,
        "condition is false: actor_object.username is empty",
    ),
]


@pytest.mark.parametrize(("values", "adas", "anonymous", "because"), TRIGGERS)
def test_the_actor_is_the_signed_in_user_or_nobody(ada, values, adas, anonymous, because):
    trigger = make_trigger(subscribe=False, **values)
    make_trigger(subscribe=False, name="any")
    for user, expected in (ada, adas), (None, anonymous):
        Event.objects.all().delete()
        handle(Request(user), make_post)
        assert Event.objects.filter(trigger=trigger).exists() is expected
        assert Event.objects.latest("pk").actor == (f"auth.user:{ada.pk}" if user else "")
    explained = {each["trigger"]: each["because"] for each in Event.objects.latest("pk").explanation}
    assert explained[trigger.pk] == because


def test_nobody_is_looked_up_before_an_event_is_recorded_or_a_trigger_asks(ada):
    make_trigger(subscribe=False, verb="post_delete")
    make_trigger(subscribe=False, condition='instance.title == "Wool"')
    request = Request(ada)
    post = handle(request, make_post)
    assert request.looks == 0
    handle(request, post.delete)
    assert request.looks == 1
    make_trigger(subscribe=False, condition='instance.title == "Wool" and actor_object')
    request = Request(ada)
    handle(request, make_post)  # read with the other things that the condition names
    assert (request.looks, Event.objects.count()) == (1, 1)


def test_a_request_that_records_nothing_reads_no_session(db, client, django_assert_num_queries, settings):
    client.cookies[settings.SESSION_COOKIE_NAME] = "somebodys"
    with django_assert_num_queries(0):
        response = client.get("/nowhere/")
    assert "Cookie" not in response.get("Vary", "")


def test_an_anonymous_request_costs_an_event_no_query(db):
    make_trigger(subscribe=False)

    def view(request):
        make_post()
        return HttpResponse()

    chain = SessionMiddleware(AuthenticationMiddleware(ActorMiddleware(view)))
    with statements() as found:
        chain(RequestFactory().get("/"))
    assert [each for each in found if "session" in each or "auth_user" in each] == []
    assert Event.objects.get().actor == ""


price_was_changed = Signal()
SENDERS = [
    # what the signal says, who did it while Ada is signed in
    ({}, "ada"),
    ({"actor_object": "bo"}, "bo"),  # the signal knows better
    ({"actor": "bo"}, "bo"),
    ({"user": "bo"}, "bo"),
    ({"actor_object": None}, None),  # nobody did it, says the signal
]


@pytest.mark.parametrize(("arguments", "expected"), SENDERS)
def test_a_signal_that_names_who_did_it_is_believed(ada, arguments, expected):
    people = {"ada": ada, "bo": make_user(username="bo"), None: None}
    register("price_was_changed", signal=price_was_changed)
    make_trigger(verb="price_was_changed", model="", subscribe=False)
    handle(
        Request(ada),
        lambda: price_was_changed.send(sender=None, **{name: people[who] for name, who in arguments.items()}),
    )
    assert Event.objects.get().actor == (f"auth.user:{people[expected].pk}" if expected else "")


def test_a_request_that_has_ended_acts_no_more(ada):
    make_trigger(subscribe=False)

    def fail():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        handle(Request(ada), fail)
    make_post()
    assert Event.objects.get().actor == ""
    assert actors.current_actor() is None


def test_a_session_store_that_is_down_costs_an_event_its_actor(db, caplog):
    def fail(request):
        raise ConnectionError("the cache is down")

    make_trigger(subscribe=False)
    request = Request()
    request.user = SimpleLazyObject(lambda: fail(request))
    handle(request, make_post)
    assert Event.objects.get().actor == ""
    assert "The signed-in user could not be read" in caplog.text


def test_a_user_whom_the_database_does_not_give_costs_no_event(db):
    def fail():
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM sessions_that_are_gone")

    make_trigger(subscribe=False)
    request = Request()
    request.user = SimpleLazyObject(fail)
    handle(request, make_post)
    event = Event.objects.get()
    assert (event.status, event.actor) == ("failed", "")
    assert Post.objects.count() == 1


def test_a_request_without_users_has_no_actor(db):
    make_trigger(subscribe=False)
    handle(RequestFactory().get("/"), make_post)
    assert Event.objects.get().actor == ""


@pytest.mark.django_db(transaction=True)
def test_requests_that_are_served_side_by_side_keep_their_actors():
    people = [make_user(username=name) for name in ("ada", "bo")]
    make_trigger(contents={"email": {"text": "{{ instance.title }}"}})

    def save(title):
        Post.objects.create(title=title)
        connection.close()  # this thread's

    async def serve():
        both_are_in = asyncio.Barrier(2)

        async def view(request):
            await both_are_in.wait()
            await sync_to_async(save)(request.user.username)
            await both_are_in.wait()

        middleware = ActorMiddleware(view)
        assert iscoroutinefunction(middleware)
        await asyncio.gather(*(middleware(Request(person)) for person in people))

    asyncio.run(serve())
    found = {event.data["instance"]["title"]: event.actor for event in Event.objects.all()}
    assert found == {person.username: f"auth.user:{person.pk}" for person in people}
