"""Rules that code declares, in the admin: to be seen, to be switched off, to be taken over."""

import pytest
from django.contrib.admin.models import LogEntry

from notifier import notify_on
from notifier.models import Audience, Template, Trigger
from notifier.rulefiles import declared
from project.demo.models import Post
from tests.admin.browser import text_of
from tests.support.builders import make_trigger, make_user
from tests.support.declaring import only_declared

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def news():
    """The rule that code declares, as a migration makes it."""
    with only_declared():
        notify_on(
            "post_save", key="news", channels=["email"], audience={"everyone": True},
            contents={"email": {"subject": "{{ instance.title }}", "text": "."}},
        )(Post)  # fmt: skip
        declared.keep_declared()
        yield Trigger.objects.get()


def page_of(row):
    return f"/admin/notifier/{row._meta.model_name}/{row.pk}/change/"


def ask(client, row, deed):
    return client.post(f"/admin/notifier/{row._meta.model_name}/{row.pk}/{deed}/")


def delete(client, row):
    return client.post(page_of(row).replace("change", "delete"), {"post": "yes"})


def rows():
    return [Trigger.objects.get(), Template.objects.get(), Audience.objects.get()]


def test_its_pages_show_it_say_where_it_is_and_change_nothing(admin_client, news):
    for row in rows():
        page = text_of(admin_client.get(page_of(row)))
        assert "Declared in code" in page
        assert "project.demo.models.Post" in page
        assert 'name="_save"' not in page
        assert admin_client.post(page_of(row), {"name": "Mine"}).status_code == 403
    assert {str(row) for row in rows()} == {"news"}


def test_it_is_marked_in_the_list(admin_client):
    make_trigger()
    assert text_of(admin_client.get("/admin/notifier/trigger/")).count("declared in code") == 1


def test_it_cannot_be_deleted_while_code_would_bring_it_back(admin_client, news):
    for row in rows():
        assert delete(admin_client, row).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [news.pk], "post": "yes"}
    admin_client.post("/admin/notifier/trigger/", chosen)
    assert Trigger.objects.exists()


def test_it_is_switched_off_and_on_again_and_stays_what_code_says(admin_client, news):
    for enabled, said in (False, "Switched off."), (True, "Switched on."):
        assert ask(admin_client, news, "switch").url == page_of(news)
        news.refresh_from_db()
        assert (news.enabled, news.is_in_code) == (enabled, True)
        assert LogEntry.objects.first().change_message == said


def test_what_reaches_many_is_asked_about_before_it_is_switched_on(admin_client, news, settings):
    settings.NOTIFIER = settings.NOTIFIER | {"CONFIRM_ABOVE": 1}
    for _ in range(2):
        make_user()
    Trigger.objects.update(enabled=False)
    page = ask(admin_client, news, "switch")
    assert "One event of “news” goes to 3 people." in text_of(page)
    assert not Trigger.objects.get().enabled
    answer = {page.context["token_name"]: page.context["token"]}
    assert admin_client.post(f"/admin/notifier/trigger/{news.pk}/switch/", answer).status_code == 302
    assert Trigger.objects.get().enabled


def test_taken_over_it_is_a_persons_with_its_words_and_its_people(admin_client, news):
    assert ask(admin_client, news, "take-over").url == page_of(news)
    assert [row.declared for row in rows()] == ["", "", ""]
    assert {each.change_message for each in LogEntry.objects.all()} == {"Taken over from the code."}
    assert LogEntry.objects.count() == 3
    for row in rows():
        page = text_of(admin_client.get(page_of(row)))
        assert "Declared in code" not in page
        assert 'name="_save"' in page


@pytest.mark.parametrize("model", [Template, Audience])
def test_its_words_or_its_people_are_taken_over_alone(admin_client, model):
    ask(admin_client, model.objects.get(), "take-over")
    assert {type(row) for row in rows() if not row.declared} == {model}


def test_what_code_has_left_behind_is_off_and_can_be_taken_over_or_deleted(admin_client, news):
    with only_declared():
        declared.keep_declared()
        page = text_of(admin_client.get(page_of(news)))
        assert "No longer in code" in page
        assert "The code that declared it is gone" in page
        assert ask(admin_client, news, "switch").status_code == 404
        assert admin_client.post(page_of(news), {"name": "Mine"}).status_code == 403
        assert (
            admin_client.post(page_of(news).replace("change", "delete"), {"post": "yes"}).status_code == 302
        )
        ask(admin_client, Template.objects.get(), "take-over")
        assert Template.objects.get().declared == ""


# deed, the permissions that are not enough, those that are
@pytest.mark.parametrize(
    ("deed", "too_little", "enough"),
    [
        ("take-over", ["view_trigger"], ["view_trigger", "change_trigger"]),
        ("switch", ["view_trigger"], ["view_trigger", "change_trigger"]),
        ("take-over", ["change_template"], ["change_trigger"]),
    ],
)
def test_only_who_may_change_rules_does_that(client_with, client, news, deed, too_little, enough):
    assert ask(client, news, deed).status_code == 302
    assert ask(client_with(*too_little), news, deed).status_code == 403
    news.refresh_from_db()
    assert (news.enabled, news.is_in_code) == (True, True)
    assert "Take over" not in text_of(client_with("view_trigger").get(page_of(news)))
    assert ask(client_with(*enough), news, deed).status_code == 302
    news.refresh_from_db()
    assert (news.enabled, news.is_in_code) != (True, True)


@pytest.mark.parametrize("deed", ["take-over", "switch"])
def test_a_link_does_nothing_and_a_rule_of_ones_own_has_no_such_buttons(admin_client, news, deed):
    assert admin_client.get(f"/admin/notifier/trigger/{news.pk}/{deed}/").status_code == 405
    mine = make_trigger()
    assert ask(admin_client, mine, deed).status_code == 404
    assert "Take over" not in text_of(admin_client.get(page_of(mine)))


def test_an_old_version_of_its_words_cannot_be_restored(admin_client, news):
    content = Template.objects.get().contents.get()
    content.subject = "New"
    content.save()
    first = content.versions.order_by("number").first()
    assert admin_client.post(f"/admin/notifier/template/version/{first.pk}/restore/").status_code == 403


def test_a_rule_about_inner_workings_is_switched_on_by_those_who_may(client_with, admin_client, news):
    Trigger.objects.update(verb="request_started", model="", enabled=False)
    assert ask(client_with("change_trigger"), news, "switch").status_code == 403
    page = ask(admin_client, news, "switch")
    assert "“request_started” fires at each request" in text_of(page)
    assert not Trigger.objects.get().enabled
