"""Events and deliveries in the admin: to be read and found by anybody who may look, and tried again by those who may do that."""

import pytest
from django.contrib.admin.models import LogEntry
from django.utils import timezone

from notifier.admin import deliveries as delivery_admin, reading, retrying
from notifier.models import Delivery, Event, Subscription
from project.demo.models import Post
from tests.builders import make_audience, make_delivery, make_event, make_trigger, make_user

from .browser import saved, submit, text_of

pytestmark = pytest.mark.django_db

EVENTS, DELIVERIES = "/admin/notifier/event/", "/admin/notifier/delivery/"
Status = Delivery.Status

TRY_AGAIN = "Try again</button>"
MAY_RETRY = ("view_delivery", "retry_delivery")


def page_of(row):
    return f"/admin/notifier/{row._meta.model_name}/{row.pk}/change/"


def retry_of(delivery):
    return f"/admin/notifier/delivery/{delivery.pk}/retry/"


def make_failed(**values):
    values = {"status": Status.FAILED, "reason": "refused", "due_at": None, "finished_at": timezone.now(), "attempts": 1} | values
    return make_delivery(**values)


def make_both():
    """An event and a delivery of it."""
    delivery = make_failed()
    return [delivery.event, delivery]


# To be read


@pytest.mark.parametrize("number", [0, 1], ids=["event", "delivery"])
def test_nobody_can_add_change_or_delete(admin_client, number):
    row = make_both()[number]
    before = type(row).objects.values().get()
    assert admin_client.get(page_of(row)).status_code == 200
    assert admin_client.post(page_of(row), {"status": "sent", "reason": "because"}).status_code == 403
    assert admin_client.post(f"/admin/notifier/{row._meta.model_name}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
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
    trigger = make_trigger(contents={"email": {"subject": "<{{ instance.title }}>", "text": "."}}, audiences=[everyone])
    Post.objects.create(title="Linen & wöol")
    event = Event.objects.get()
    page = text_of(admin_client.get(page_of(event)))
    assert "    &quot;title&quot;: &quot;Linen &amp; wöol&quot;\n" in page
    assert f"{trigger.subscriptions.get().template} → email (version 1) → {everyone}" in page
    assert f'<a href="/admin/notifier/trigger/{trigger.pk}/change/">{trigger}</a>' in page
    post = Post.objects.get()
    assert f'<a href="/admin/demo/post/{post.pk}/change/">Post {post.pk}</a>' in page


def test_an_event_counts_its_deliveries_by_status_and_each_count_leads_to_them(admin_client):
    event = make_event()
    for status in (Status.SENT, Status.SENT, Status.FAILED):
        make_delivery(event=event, status=status)
    make_delivery(status=Status.FAILED)
    page = text_of(admin_client.get(page_of(event)))
    for words, query in ("2 sent", "&amp;status__exact=sent"), ("1 failed", "&amp;status__exact=failed"), ("3 in all", ""):
        [link] = [part for part in page.split("<a ") if words in part]
        assert f'href="{DELIVERIES}?event__id__exact={event.pk}{query}"' in link
    found = admin_client.get(f"{DELIVERIES}?event__id__exact={event.pk}&status__exact=failed")
    assert [delivery.event_id for delivery in found.context["cl"].result_list] == [event.pk]
    assert f"Event {event}" in text_of(found)


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
    delivery = make_failed(recipient=f"user:{user.pk}", detail="The mailbox is <full>.", attempts=7, provider_id="ses-1")
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
    assert ">ada<br>" in page
    assert ">user:999999<br>" in page


# To be found


@pytest.fixture
def rows():
    """Five deliveries, by what they are searched for."""
    ada = make_user(username="ada")
    return {
        "to ada": make_delivery(recipient=f"user:{ada.pk}", address="", status=Status.SKIPPED, reason="no_address"),
        "by address": make_delivery(address="bo@example.org"),
        "by provider": make_delivery(provider_id="ses-4711"),
        "by sms": make_delivery(channel="sms", address="+44 7400 123401"),
        "failed": make_failed(reason="template_failed"),
    }


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=bo@example.org", ["by address"]),
        ("q=BO@EXAMPLE", ["by address"]),
        ("q=ses-4711", ["by provider"]),
        ("q=ada", ["to ada"]),  # who has no address that could be searched
        ("q=%2B44 7400 123401", ["by sms"]),
        ("q=template_failed", ["failed"]),
        ("q=nothing", []),
        ("status__exact=failed", ["failed"]),
        ("channel=sms", ["by sms"]),
        ("reason=no_address", ["to ada"]),
        ("q=example&channel=sms", []),
    ],
)
def test_deliveries_are_found(admin_client, rows, query, names):
    found = admin_client.get(f"{DELIVERIES}?{query}").context["cl"].result_list
    assert [delivery.pk for delivery in found] == [rows[name].pk for name in names]


@pytest.mark.parametrize("term", ["{}", "#{}", " {} "])
def test_a_number_finds_exactly_that_row(admin_client, rows, term):
    wanted = rows["by address"]
    for path, pk in (DELIVERIES, wanted.pk), (EVENTS, wanted.event_id):
        found = admin_client.get(path, {"q": term.format(pk)}).context["cl"].result_list
        assert [row.pk for row in found] == [pk]


def test_a_number_that_is_no_id_is_looked_for_as_text(admin_client, rows):
    for term in "4711", "9" * 30:
        found = admin_client.get(DELIVERIES, {"q": term}).context["cl"].result_list
        assert [row.pk for row in found] == ([rows["by provider"].pk] if term == "4711" else [])


@pytest.mark.parametrize("query", ["q=demo.flashsale:12", "q=post_delete", "status__exact=failed", "q=too+long"])
def test_events_are_found(admin_client, query):
    make_event()
    values = {"verb": "post_delete", "action_object": "demo.flashsale:12", "status": Event.Status.FAILED, "reason": "too long"}
    wanted = make_event(**values)
    assert [event.pk for event in admin_client.get(f"{EVENTS}?{query}").context["cl"].result_list] == [wanted.pk]


def test_the_events_of_one_trigger_are_found(admin_client):
    make_event()
    wanted = make_event()
    page = admin_client.get(f"{EVENTS}?trigger__id__exact={wanted.trigger_id}")
    assert [event.pk for event in page.context["cl"].result_list] == [wanted.pk]


def test_text_is_looked_for_among_the_newest_rows_and_in_the_whole_of_one_event(admin_client, monkeypatch):
    monkeypatch.setattr(reading, "MOST_SEARCHED", 3)
    old = make_delivery(address="old@example.org")
    for _ in range(3):
        make_delivery()

    def find(query):
        return [delivery.pk for delivery in admin_client.get(f"{DELIVERIES}?{query}").context["cl"].result_list]

    assert find("q=old@example.org") == []
    assert find(f"q={old.pk}") == [old.pk]
    assert find(f"q=old@example.org&event__id__exact={old.event_id}") == [old.pk]


def test_nothing_is_counted_beyond_what_anybody_pages_through(admin_client, monkeypatch):
    monkeypatch.setattr(reading, "MOST_COUNTED", 3)
    for _ in range(5):
        make_delivery()
    page = admin_client.get(DELIVERIES)
    assert page.context["cl"].result_count == 3
    assert "The newest 3 are listed here." in text_of(page)


@pytest.mark.parametrize("query", ["", "?q=e"])
def test_the_list_of_deliveries_takes_as_many_queries_for_thirty_as_for_three(queries_of, query):
    event = make_event()

    def make(number):
        for _ in range(number):
            make_delivery(event=event, recipient=f"user:{make_user().pk}")

    make(3)
    few = queries_of(DELIVERIES + query)
    make(27)
    assert queries_of(DELIVERIES + query) == few


@pytest.mark.parametrize("query", ["", "?q=demo"])
def test_the_list_of_events_takes_as_many_queries_for_thirty_as_for_three(queries_of, query):
    triggers = [make_trigger(subscribe=False) for _ in range(30)]

    def make(some):
        Event.objects.bulk_create(
            Event(trigger=trigger, verb="post_save", action_object="demo.post:1", data={}, created_at=timezone.now())
            for trigger in some
        )

    make(triggers[:3])
    few = queries_of(EVENTS + query)
    make(triggers[3:])
    assert queries_of(EVENTS + query) == few


def test_no_list_asks_a_table_of_millions_for_its_distinct_values_or_its_count(admin_client, django_assert_max_num_queries):
    make_both()
    for path in EVENTS, DELIVERIES:
        with django_assert_max_num_queries(100) as captured:
            admin_client.get(path)
        for query in captured:
            assert "DISTINCT" not in query["sql"]
            assert "COUNT(" not in query["sql"] or "LIMIT" in query["sql"]


# Try again


@pytest.mark.django_db(transaction=True)
def test_a_failed_delivery_is_sent_after_its_template_is_mended(admin_client, cloud, pump):
    endless = "{% for a in t %}{% for b in t %}{% for c in t %}.{% endfor %}{% endfor %}{% endfor %}"
    text = "{{ instance.title }}{% with t=instance.title %}" + endless + "{% endwith %}"
    trigger = make_trigger(
        contents={"email": {"subject": "Hello", "text": text}}, audiences=[make_audience(addresses="email: ops@example.com")]
    )
    Post.objects.create(title="x" * 100)
    pump.drain()
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.reason) == (Status.FAILED, "template_failed")
    assert TRY_AGAIN in text_of(admin_client.get(page_of(delivery)))

    template = trigger.subscriptions.get().template
    mended = {"contents-0-text": "New: {{ instance.title|truncatechars:4 }}"}
    assert saved(submit(admin_client, f"/admin/notifier/template/{template.pk}/change/", mended))
    assert "It is tried again with version 2." in text_of(admin_client.get(page_of(delivery)))
    response = admin_client.post(retry_of(delivery), follow=True)
    assert response.redirect_chain == [(page_of(delivery), 302)]
    assert "1 delivery is being tried again." in text_of(response)
    pump.drain()

    delivery.refresh_from_db()
    assert (delivery.status, delivery.reason, delivery.attempts) == (Status.SENT, "", 2)
    assert [(message.recipient, message.text) for message in cloud.outbox()] == [("ops@example.com", "New: xxx…")]
    assert TRY_AGAIN not in text_of(admin_client.get(page_of(delivery)))


def test_a_page_says_when_a_mended_template_cannot_be_used(admin_client):
    delivery = make_failed(parts={"text": "{{ title }}"})
    content = Subscription.objects.get().template.contents.get()
    content.text = "{{ title }} {{ price }}"
    content.save()
    assert "Version 2 reads what this event does not hold" in text_of(admin_client.get(page_of(delivery)))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("status", [Status.SENT, Status.QUEUED, Status.CLAIMED, Status.SENDING])
def test_what_is_sent_or_under_way_is_left_alone(admin_client, cloud, pump, status):
    delivery = make_delivery(status=status, provider_id="ses-1", due_at=None)
    before = Delivery.objects.values().get()
    assert TRY_AGAIN not in text_of(admin_client.get(page_of(delivery)))
    response = admin_client.post(retry_of(delivery), follow=True)
    assert "1 was left alone: it is sent, under way or not for sending." in text_of(response)
    assert pump.drain() == 0
    assert Delivery.objects.values().get() == before
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("reason", ["inactive", "no_address", "unverified"])
def test_nobody_is_sent_what_the_fan_out_has_kept_from_them(admin_client, reason):
    delivery = make_delivery(status=Status.SKIPPED, reason=reason, due_at=None)
    assert TRY_AGAIN not in text_of(admin_client.get(page_of(delivery)))
    admin_client.post(retry_of(delivery))
    admin_client.post(DELIVERIES, {"action": "retry_selected", "_selected_action": [delivery.pk]})
    delivery.refresh_from_db()
    assert (delivery.status, delivery.reason) == (Status.SKIPPED, reason)


@pytest.mark.django_db(transaction=True)
def test_deliveries_that_are_selected_in_the_list_are_tried_again(admin_client, cloud, pump):
    chosen = [make_failed(), make_failed(channel="sms"), make_delivery(status=Status.SENT)]
    make_failed()
    action = {"action": "retry_selected", "_selected_action": [delivery.pk for delivery in chosen]}
    page = text_of(admin_client.post(DELIVERIES, action, follow=True))
    assert "2 deliveries are being tried again." in page
    assert "1 was left alone: it is sent, under way or not for sending." in page
    pump.drain()
    assert sorted(message.channel for message in cloud.outbox()) == ["email", "sms"]
    assert list(Delivery.objects.order_by("pk").values_list("status", flat=True)) == ["sent", "sent", "sent", "failed"]


def test_more_than_a_request_can_do_is_done_in_parts(admin_client, monkeypatch):
    monkeypatch.setattr(retrying, "MOST_RETRIED", 2)
    for _ in range(3):
        make_failed()
    action = {"action": "retry_selected", "select_across": "1", "_selected_action": ["0"]}
    page = text_of(admin_client.post(DELIVERIES, action, follow=True))
    assert "2 deliveries are being tried again." in page
    assert "no more than 2 at a time. Choose them again." in page
    assert "left alone" not in page
    assert Delivery.objects.filter(status=Status.QUEUED).count() == 2


def test_a_retry_is_written_to_the_admins_log(admin_client, admin_user):
    one, two = make_failed(), make_failed(channel="sms")
    admin_client.post(retry_of(one))
    admin_client.post(DELIVERIES, {"action": "retry_selected", "_selected_action": [two.pk]})
    entries = LogEntry.objects.order_by("pk").values_list("user", "object_id", "object_repr", "change_message")
    assert list(entries) == [
        (admin_user.pk, str(one.pk), f"#{one.pk} email", "Tried again."),
        (admin_user.pk, str(two.pk), f"#{two.pk} sms", "Tried again."),
    ]
    assert "Tried again." in text_of(admin_client.get(f"/admin/notifier/delivery/{one.pk}/history/"))


def test_a_retry_is_a_post(admin_client):
    delivery = make_failed()
    assert admin_client.get(retry_of(delivery)).status_code == 405
    assert admin_client.head(retry_of(delivery)).status_code == 405
    delivery.refresh_from_db()
    assert delivery.status == Status.FAILED


def test_a_retry_needs_the_token_against_forgery(admin_user):
    from django.test import Client

    client, delivery = Client(enforce_csrf_checks=True), make_failed()
    client.force_login(admin_user)
    assert client.post(retry_of(delivery)).status_code == 403
    delivery.refresh_from_db()
    assert delivery.status == Status.FAILED


@pytest.mark.parametrize(
    "permissions", [["view_delivery"], ["view_delivery", "change_delivery", "delete_delivery"], ["retry_delivery"]]
)
def test_a_retry_needs_its_own_permission(client_with, permissions):
    client, delivery = client_with(*permissions), make_failed()
    assert client.post(retry_of(delivery)).status_code == 403
    if "view_delivery" in permissions:
        assert TRY_AGAIN not in text_of(client.get(page_of(delivery)))
        assert "retry_selected" not in text_of(client.get(DELIVERIES))
    client.post(DELIVERIES, {"action": "retry_selected", "_selected_action": [delivery.pk]})
    delivery.refresh_from_db()
    assert delivery.status == Status.FAILED


def test_somebody_with_the_permission_and_no_other_may_retry(client_with):
    client, delivery = client_with(*MAY_RETRY), make_failed()
    assert TRY_AGAIN in text_of(client.get(page_of(delivery)))
    assert "retry_selected" in text_of(client.get(DELIVERIES))
    assert client.post(retry_of(delivery)).status_code == 302
    delivery.refresh_from_db()
    assert delivery.status == Status.QUEUED


def test_nobody_retries_without_signing_in(client):
    delivery = make_failed()
    assert client.post(retry_of(delivery)).url.startswith("/admin/login/")
    delivery.refresh_from_db()
    assert delivery.status == Status.FAILED


def test_a_delivery_that_is_not_there_cannot_be_tried_again(admin_client):
    response = admin_client.post("/admin/notifier/delivery/999999/retry/", follow=True)
    assert "doesn’t exist" in text_of(response)
    assert "left alone" not in text_of(response)
