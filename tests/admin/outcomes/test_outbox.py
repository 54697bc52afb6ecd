"""Events and deliveries in the admin, to be read: each page says what happened, in words."""

import pytest
from django.utils import timezone

from notifier.admin.outcomes import deliveries as delivery_admin, status_counts
from notifier.models import Attempt, Delivery, Event, Pause, Subscription
from project.demo.models import Post
from tests.admin.browser import text_of
from tests.admin.outbox import DELIVERIES, EVENTS, make_both, make_failed, page_of
from tests.support.builders import make_audience, make_delivery, make_event, make_trigger, make_user

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

Status = Delivery.Status


@pytest.mark.parametrize("number", [0, 1], ids=["event", "delivery"])
def test_nobody_can_add_change_or_delete(admin_client, number):
    row = make_both()[number]
    before = type(row).objects.values().get()
    assert admin_client.get(page_of(row)).status_code == 200
    assert admin_client.post(page_of(row), {"status": "sent", "reason": "because"}).status_code == 403
    assert (
        admin_client.post(
            f"/admin/notifier/{row._meta.model_name}/{row.pk}/delete/", {"post": "yes"}
        ).status_code
        == 403
    )
    assert admin_client.get(f"/admin/notifier/{row._meta.model_name}/add/").status_code == 403
    assert admin_client.post(f"/admin/notifier/{row._meta.model_name}/add/", {}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    admin_client.post(f"/admin/notifier/{row._meta.model_name}/", action)
    assert type(row).objects.values().get() == before


@pytest.mark.parametrize("number", [0, 1], ids=["event", "delivery"])
def test_somebody_without_permission_sees_nothing(client_with, number):
    row = make_both()[number]
    assert client_with().get(page_of(row)).status_code == 403
    assert client_with().get(f"/admin/notifier/{row._meta.model_name}/").status_code == 403
    assert client_with(f"view_{row._meta.model_name}").get(page_of(row)).status_code == 200


def test_an_event_shows_its_data_and_plan_as_a_person_reads_them(admin_client):
    everyone = make_audience(everyone=True)
    trigger = make_trigger(
        contents={"email": {"subject": "<{{ instance.title }}>", "text": "."}}, audiences=[everyone]
    )
    Post.objects.create(title="Linen & wöol")
    event, post, template = Event.objects.get(), Post.objects.get(), trigger.subscriptions.get().template
    page = text_of(admin_client.get(page_of(event)))
    for text in (
        "<code>instance.title</code></th><td>Linen &amp; wöol</td>",
        f'<a href="/admin/notifier/template/{template.pk}/change/">{template}</a>',
        f'<a href="/admin/notifier/template/{template.pk}/change/">version 1</a>',
        f'<a href="/admin/notifier/audience/{everyone.pk}/change/">{everyone}</a>',
        "all active users",
        f'<a href="/admin/notifier/trigger/{trigger.pk}/change/">{trigger}</a>',
        f'<a href="/admin/demo/post/{post.pk}/change/">Post {post.pk}</a>',
        "Post is created or changed",
    ):
        assert text in page


def test_an_event_counts_its_deliveries_by_status_and_each_count_leads_to_them(admin_client):
    event = make_event()
    for status in (Status.SENT, Status.SENT, Status.FAILED):
        make_delivery(event=event, status=status)
    make_delivery(status=Status.FAILED)
    page = text_of(admin_client.get(page_of(event)))
    email = f"{DELIVERIES}?event__id__exact={event.pk}&amp;channel=email"
    for words, query in (
        ("2 sent", "&amp;status__exact=sent"),
        ("1 failed", "&amp;status__exact=failed"),
        ("<strong>3</strong>", ""),
    ):
        [link] = [part for part in page.split("<a ") if words in part]
        assert f'href="{email}{query}"' in link
    found = admin_client.get(f"{DELIVERIES}?event__id__exact={event.pk}&channel=email&status__exact=failed")
    assert [delivery.event_id for delivery in found.context["cl"].result_list] == [event.pk]
    assert f"Event {event}" in text_of(found)


def test_an_event_says_which_triggers_its_firing_met_and_why_others_did_not_match(admin_client):
    other, not_it, gone = (
        make_trigger(),
        make_trigger(condition="instance.total > 100"),
        make_trigger(enabled=False),
    )
    make_trigger(enabled=False, verb="post_delete")
    make_trigger(enabled=False, model="demo.movie")
    sibling = make_event(action_object="demo.post:1")
    Event.objects.filter(pk=sibling.pk).update(trigger=other)
    event = make_event(action_object="demo.post:1", actor="auth.user:5", key="order-7")
    Event.objects.filter(pk=event.pk).update(
        explanation=[
            {"trigger": event.trigger_id, "name": "own", "because": ""},
            {"trigger": other.pk, "name": "other", "because": ""},
            {"trigger": not_it.pk, "name": "not it", "because": "instance.total is 80"},
            {"trigger": 999999, "name": "Long gone", "because": "another instance"},
        ]
    )
    page = text_of(admin_client.get(page_of(event)))
    for text in (
        f'→ <a href="{page_of(sibling)}">Event #{sibling.pk}</a>',
        "instance.total is 80",
        "Long gone",
        "another instance",
        ">off now<",
        f"{gone}</a>",
        '<a href="/admin/auth/user/5/change/">user 5</a>',
        "order-7",
    ):
        assert text in page
    assert page.count(">off now<") == 1
    assert page.count(">matched<") == 2


def test_an_event_shows_what_went_amiss_first_with_each_attempt(admin_client):
    event = make_event(status=Event.Status.DONE)
    for _ in range(12):
        make_delivery(event=event, status=Status.SENT, provider_id="ses-1", cost_micros=100)
    bad = make_failed(event=event, address="bad@example.com", attempts=2, detail="Blacklisted.")
    for number, reason in (1, "throttled"), (2, "refused"):
        Attempt.objects.create(
            delivery=bad, number=number, status="waiting", reason=reason, created_at=timezone.now()
        )
    response = admin_client.get(page_of(event))
    rows = response.context["timeline"]["deliveries"]
    assert [row["delivery"].pk for row in rows][0] == bad.pk
    assert len(rows) == 10
    page = text_of(response)
    assert "The provider refused it. Blacklisted." in page
    assert "2 attempts went amiss" in page
    assert "The provider asked for more time." in page
    assert "$0.0001" in page
    for text in ("Attempt 1", "The provider asked for more time."):
        assert text in text_of(admin_client.get(page_of(bad)))


@pytest.mark.parametrize(
    ("status", "delivery", "words"),
    [
        (Event.Status.RECORDED, None, "It waits for the function that finds its recipients."),
        (Event.Status.FANNING_OUT, None, "A function is finding its recipients."),
        (Event.Status.DONE, Status.QUEUED, "Under way: 1 queued."),
        (Event.Status.DONE, Status.WAITING, "Under way: 1 waiting."),
        (Event.Status.DONE, Status.SENT, None),
        (Event.Status.DONE, Status.UNKNOWN, None),  # a person decides
        (Event.Status.VETOED, None, None),
    ],
)
def test_an_event_looks_again_by_itself_as_long_as_something_is_under_way(
    admin_client, status, delivery, words
):
    event = make_event(status=status)
    if delivery:
        make_delivery(event=event, status=delivery)
    page = text_of(admin_client.get(page_of(event)))
    assert ("data-notifier-live" in page) == (words is not None)
    assert words is None or words in page


def test_an_event_says_what_is_paused(admin_client):
    event = make_event()
    Pause.objects.create(scope="channel:email", paused_by="eve", reason="Stocktaking")
    Pause.objects.create(scope="channel:sms")
    page = text_of(admin_client.get(page_of(event)))
    assert "The channel email is paused by eve since" in page
    assert "channel sms" not in page


def test_an_event_of_a_crowd_is_not_counted_to_its_end(
    admin_client, monkeypatch, queries_of, django_assert_max_num_queries
):
    event = make_event(contents={"email": {"text": "Hi"}, "sms": {"text": "Hi"}}, status=Event.Status.DONE)
    for channel in ("email", "sms"):
        make_delivery(event=event, channel=channel, status=Status.SENT)
    few = queries_of(page_of(event))
    for _ in range(30):
        make_delivery(event=event, status=Status.SENT)
    assert queries_of(page_of(event)) == few
    monkeypatch.setattr(status_counts, "MOST_TALLIED", 3)
    with django_assert_max_num_queries(60) as captured:
        page = text_of(admin_client.get(page_of(event)))
    assert "<strong>3+</strong> by e-mail" in page
    assert "<strong>1</strong> by SMS" in page
    asked = [
        query["sql"]
        for query in captured
        if 'FROM "notifier_delivery"' in query["sql"] or "FROM notifier_delivery" in query["sql"]
    ]
    assert asked
    for sql in asked:
        assert "LIMIT" in sql
        assert "event_id" in sql


def test_an_event_whose_rules_are_gone_can_still_be_read(admin_client):
    delivery = make_failed()
    event, subscription = delivery.event, Subscription.objects.get()
    template, trigger = subscription.template, subscription.trigger
    trigger.delete()
    template.delete()
    page = text_of(admin_client.get(page_of(event)))
    assert "a subscription that was deleted" in page
    assert "deleted" in text_of(admin_client.get(page_of(delivery)))
    for path in EVENTS, DELIVERIES:
        assert len(admin_client.get(path).context["cl"].result_list) == 1


def test_a_delivery_shows_status_reason_attempts_and_where_it_comes_from(admin_client):
    user = make_user(username="ada")
    delivery = make_failed(
        recipient=f"user:{user.pk}", detail="The mailbox is <full>.", attempts=7, provider_id="ses-1"
    )
    page = text_of(admin_client.get(page_of(delivery)))
    template = delivery.event.trigger.subscriptions.get().template
    for text in (
        '<b class="notifier-status notifier-bad">failed</b>',
        "refused",
        "The mailbox is &lt;full&gt;.",
        ">7<",
        "ses-1",
        f'<a href="/admin/auth/user/{user.pk}/change/">ada</a>',
        f'<a href="/admin/notifier/event/{delivery.event_id}/change/">#{delivery.event_id}</a>',
        f'<a href="/admin/notifier/template/{template.pk}/change/">{template}</a>, <a',
        ">version 1</a>",
    ):
        assert text in page


@pytest.mark.parametrize("status", Status)
def test_every_status_of_a_delivery_is_explained(admin_client, status):
    delivery = make_delivery(status=status)
    assert str(delivery_admin.MEANINGS[status]) in text_of(admin_client.get(page_of(delivery)))


@pytest.mark.parametrize("status", Event.Status)
def test_every_status_of_an_event_has_a_page(admin_client, status):
    assert str(status.label) in text_of(admin_client.get(page_of(make_event(status=status))))


def test_a_person_without_an_address_is_listed_by_name_and_one_who_is_gone_by_number(admin_client):
    user = make_user(username="ada")
    make_delivery(recipient=f"user:{user.pk}", address="", status=Status.SKIPPED, reason="no_address")
    make_delivery(recipient="user:999999", address="", status=Status.SKIPPED, reason="no_address")
    page = text_of(admin_client.get(DELIVERIES))
    assert "<div>ada</div>" in page
    assert "<div>user:999999</div>" in page
