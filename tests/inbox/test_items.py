"""The inbox as a channel: what comes in, once, numbered, and whose it is."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections

from notifier.channels import registry
from notifier.deliveries import fanout
from notifier.inbox import items
from notifier.models import Category, Delivery, Inbox, InboxItem
from notifier.templating import contents, rendering
from notifier.templating.safe_links import checked_link
from tests.support.builders import make_audience, make_delivery, make_event, make_user
from tests.support.functions import bodies_for, invoke

LINKS = [
    # as rendered, as it is kept
    ("/orders/5/", "/orders/5/"),
    ("  /orders/5/\n", "/orders/5/"),
    ("/", "/"),
    ("/orders/5/?a=1&b=2#c", "/orders/5/?a=1&b=2#c"),
    ("/größe/", "/größe/"),
    ("https://shop.example.com/linen", "https://shop.example.com/linen"),
    ("http://localhost:8000/x", "http://localhost:8000/x"),
    ("HTTPS://SHOP.example/", "HTTPS://SHOP.example/"),
    ("", ""),
    ("   ", ""),
    ("javascript:alert(1)", ""),
    ("JavaScript:alert(1)", ""),
    ("java\nscript:alert(1)", ""),  # browsers drop the line break
    ("\x01javascript:alert(1)", ""),  # and leading control characters
    ("data:text/html,<script>alert(1)</script>", ""),
    ("vbscript:x", ""),
    ("mailto:ada@example.com", ""),
    ("ftp://example.com/", ""),
    ("//evil.example/", ""),  # another site, by this one's scheme
    ("/\\evil.example/", ""),  # which browsers read as the one above
    ("\\\\evil.example/", ""),
    ("/\t/evil.example/", ""),  # so they do with the tab left out
    ("https:evil.example", ""),  # no host
    ("https:///evil.example", ""),
    ("https://", ""),
    ("https://user:word@evil.example/", ""),  # looks like a host before the @
    ("https://shop.example@evil.example/", ""),
    ("https://shop.example:99999/", ""),  # no port
    ("https://[::1", ""),
    ("https://a b.example/", ""),
    ("/a\u202eb", ""),  # turned round on the screen
    ("orders/5/", ""),  # relative to whatever page it is shown on
    ("None", ""),
    ("shop.example.com", ""),
    ("/" + "x" * 2000, ""),  # cut, it would lead elsewhere
]


@pytest.mark.parametrize(("rendered", "kept"), LINKS)
def test_a_link_is_a_path_of_the_site_or_an_http_address_or_none(rendered, kept):
    assert checked_link(rendered) == kept
    compiled = contents.compile_content("", "Hello", "", "{{ link }}")
    assert rendering.EventContent(compiled, {"link": rendered}).render({})["link"] == kept


def send(user, **more):
    """One delivery to the user's inbox, through the channel's own function. Returns it."""
    delivery = make_delivery(
        channel="inbox", **{"recipient": f"user:{user.pk}", "address": str(user.pk)} | more
    )
    assert invoke("inbox", *bodies_for("inbox", [delivery.pk])) == []
    delivery.refresh_from_db()
    return delivery


@pytest.mark.django_db(transaction=True)
def test_an_item_has_what_its_template_says_and_what_it_is_about():
    user, category = make_user(first_name="Ada"), Category.objects.create(name="orders", title="Orders")
    parts = {
        "subject": "{{ title }} for {{ user.first_name }}",
        "html": "<p>Hello <b>{{ title }}</b></p>",
        "link": "/orders/{{ number }}/",
        "icon": "📦",
    }
    event = make_event(
        contents={"inbox": parts},
        data={"title": "Linen", "number": 5},
        action_object="shop.order:5",
        category=category,
        status="done",
    )
    delivery = send(user, event=event)
    item = InboxItem.objects.get(user=user)
    assert (delivery.status, delivery.provider_id) == ("sent", str(item.pk))
    assert (item.title, item.text, item.link, item.icon) == (
        "Linen for Ada",
        "Hello Linen",
        "/orders/5/",
        "📦",
    )
    assert (item.about, item.category, item.delivery, item.sequence) == (
        "shop.order:5",
        category,
        delivery.pk,
        1,
    )


REFUSED = [
    # parts, the delivery's status and reason
    ({"text": "{{ title }}"}, "failed", "empty"),  # nothing but what is blank here
    ({"text": "x" * 10_001}, "failed", "too_long"),
    ({"text": "x" * 10_000}, "sent", ""),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("parts", "status", "reason"), REFUSED)
def test_what_is_no_item_is_refused(parts, status, reason):
    delivery = send(make_user(), parts=parts, data={"title": " "})
    assert (delivery.status, delivery.reason) == (status, reason)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("had_an_inbox", [True, False])
def test_nothing_is_sent_to_a_user_who_was_deleted_or_who_is_none(had_an_inbox):
    user = make_user()
    if had_an_inbox:
        items.add_item(user.pk, title="Old")
    key = user.pk
    user.delete()
    gone = send(user, recipient=f"user:{key}", address=str(key))
    assert (gone.status, gone.reason) == ("skipped", "user_deleted")
    plain = send(user, recipient="address:5", address="5")
    assert (plain.status, plain.reason) == ("skipped", "invalid_address")
    assert not InboxItem.objects.exists()
    assert not Inbox.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_same_delivery_is_one_item_also_when_its_record_was_lost():
    delivery = send(make_user())
    Delivery.objects.filter(pk=delivery.pk).update(status="queued", claim=None, provider_id="")
    assert invoke("inbox", *bodies_for("inbox", [delivery.pk])) == []
    delivery.refresh_from_db()
    assert (delivery.status, delivery.provider_id) == ("sent", str(InboxItem.objects.get().pk))


@pytest.mark.django_db(transaction=True)
def test_numbers_have_no_gaps_and_an_item_is_in_once_when_many_write_at_once():
    user = make_user()

    def work(number):
        try:
            # Each delivery by two threads, the first ones before there is an inbox.
            item = items.add_item(user.pk, delivery=number // 2 + 1, title="Hello")
            items.mark_read(user.pk, [item.pk])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(24)))
    assert InboxItem.objects.count() == 12
    # Twelve came and twelve were read; each took a number, and the second one of each delivery took none.
    assert Inbox.objects.get(user=user).sequence == 24
    assert InboxItem.objects.filter(read_at=None).count() == 0


@pytest.mark.django_db
def test_what_a_person_has_not_seen_is_not_marked_as_read_and_another_persons_never():
    user, other = make_user(), make_user()
    first, second = (items.add_item(user.pk, title=title) for title in ("First", "Second"))
    foreign = items.add_item(other.pk, title="Foreign")
    assert items.mark_all_read(user.pk, up_to=first.sequence) == 1
    assert items.mark_read(user.pk, [foreign.pk]) == items.archive(user.pk, [foreign.pk]) == 0
    assert list(InboxItem.objects.filter(read_at=None).order_by("pk")) == [second, foreign]
    # Once more is no change, and takes no number.
    assert (items.mark_read(user.pk, [first.pk]), items.last_number(user.pk)) == (0, 3)
    assert items.mark_all_read(make_user().pk, up_to=9) == 0
    assert Inbox.objects.count() == 2


@pytest.mark.django_db
def test_everybody_active_is_reached_by_their_key_whatever_the_project_names(settings):
    settings.NOTIFIER = settings.NOTIFIER | {"ADDRESSES": {"sms": "profile.phone"}}
    assert registry.addresses() == {"sms": "profile.phone", "inbox": "pk", "push": "pk"}
    user, inactive = make_user(email=""), make_user(is_active=False)
    event = make_event(
        contents={"inbox": {"text": "Hello"}}, audiences=[make_audience(users=[user, inactive])]
    )
    fanout.fan_out(event.pk, lease_seconds=900)
    found = Delivery.objects.order_by("pk").values_list("recipient", "address", "status", "reason")
    assert list(found) == [
        (f"user:{user.pk}", str(user.pk), "queued", ""),
        (f"user:{inactive.pk}", str(inactive.pk), "skipped", "inactive"),
    ]


@pytest.mark.django_db
def test_the_badges_count_and_the_list_read_an_index_on_postgresql():
    if connection.vendor != "postgresql":
        pytest.skip("The plan is PostgreSQL's.")
    users = [make_user() for _ in range(20)]
    InboxItem.objects.bulk_create(
        InboxItem(
            user=user,
            title="x",
            created_at="2026-01-01T00:00Z",
            read_at=None if number % 50 == 0 else "2026-01-02T00:00Z",
            sequence=number,
        )
        for user in users
        for number in range(300)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE notifier_inboxitem")
    assert "notifier_inbox_unread" in items.unread_of(users[3].pk).explain()
    assert "Seq Scan" not in items.unread_of(users[3].pk).explain()
    newest = InboxItem.objects.filter(user=users[3].pk, archived_at=None).order_by("-pk")[:21]
    assert "notifier_inbox_list" in newest.explain()
    since = InboxItem.objects.filter(user=users[3].pk, sequence__gt=290).order_by("sequence")[:21]
    assert "notifier_one_item_a_change" in since.explain()
