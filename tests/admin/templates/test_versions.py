"""A content's versions: who changed what, when, and the way back."""

import pytest
from django.contrib.admin.models import LogEntry

from notifier.admin.templates.differences import compare
from notifier.models import ContentVersion
from tests.admin.browser import saved, submit, text_of
from tests.support.builders import make_delivery, make_template, make_trigger
from tests.support.effort import at_most

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]


def versions_of(content, number=None):
    return f"/admin/notifier/template/content/{content.pk}/versions/" + (
        f"?version={number}" if number else ""
    )


def restore_of(content, number):
    return f"/admin/notifier/template/version/{content.versions.get(number=number).pk}/restore/"


@pytest.fixture
def content():
    """A mail with three versions."""
    content = make_template({"email": {"subject": "One", "text": "Hello\nthere"}}).contents.get()
    content.subject = "Two"
    content.save(author="ada")
    content.text = "Hello\nyou there"
    content.save(author="bo")
    return content


def parts_of(content):
    content.refresh_from_db()
    return content.version.number, content.subject, content.text


# Who, when


def test_a_save_in_the_admin_names_its_author(admin_client, admin_user):
    template = make_template()
    assert saved(
        submit(admin_client, f"/admin/notifier/template/{template.pk}/change/", {"contents-0-text": "New"})
    )
    newest = template.contents.get().version
    assert (newest.number, newest.author, newest.note) == (2, admin_user.username, "")


def test_the_page_lists_all_versions_with_author_and_time_and_says_which_is_live(admin_client, content):
    page = text_of(admin_client.get(versions_of(content)))
    assert page.index("Version 3") < page.index("Version 2") < page.index("Version 1")
    assert "· ada" in page
    assert "· by a program" in page
    assert page.count('class="notifier-live"') == 1
    assert versions_of(content) in text_of(
        admin_client.get(f"/admin/notifier/template/{content.template_id}/change/")
    )


def test_a_version_is_compared_with_the_one_before_it_by_words(admin_client, content):
    page = text_of(admin_client.get(versions_of(content, 3)))
    assert "<ins>you </ins>" in page or "<ins>you</ins>" in page
    assert "unchanged" in page
    older = text_of(admin_client.get(versions_of(content, 2)))
    assert "<del>One</del>" in older
    assert "<ins>Two</ins>" in older
    assert "Version 1, the first" in text_of(admin_client.get(versions_of(content, 1)))


def test_what_a_template_holds_is_shown_as_text(admin_client):
    content = make_template({"email": {"html": "<script>alert(1)</script>", "subject": "x"}}).contents.get()
    page = text_of(admin_client.get(versions_of(content)))
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("number", ["99", "x", "9" * 40, "-1"])
def test_a_version_that_is_not_there_shows_the_live_one(admin_client, content, number):
    assert "Version 3, compared with version 2" in text_of(admin_client.get(versions_of(content, number)))


def test_a_deliverys_page_leads_to_the_version_that_it_was_rendered_with(admin_client):
    delivery = make_delivery()
    content = delivery.version.content
    page = text_of(admin_client.get(f"/admin/notifier/delivery/{delivery.pk}/change/"))
    assert f'<a href="{versions_of(content, 1)}">version 1</a>' in page


def test_the_list_of_many_versions_is_bounded_and_an_old_one_is_found(admin_client, content):
    rows = [ContentVersion(content=content, number=number, text=str(number)) for number in range(4, 120)]
    ContentVersion.objects.bulk_create(rows)
    content.version = content.versions.get(number=119)
    content.save()
    assert text_of(admin_client.get(versions_of(content))).count('<a href="?version=') == 50
    assert 'aria-current="true"' in text_of(admin_client.get(versions_of(content, 5)))


# The way back


def test_a_restore_makes_a_new_version_and_is_written_down(admin_client, admin_user, content):
    response = admin_client.post(restore_of(content, 1))
    assert (response.status_code, response["Location"]) == (302, versions_of(content))
    assert parts_of(content) == (4, "One", "Hello\nthere")
    assert (content.version.note, content.version.author) == ("Version 1 again.", admin_user.username)
    [entry] = LogEntry.objects.all()
    assert (entry.object_id, entry.get_change_message()) == (
        str(content.template_id),
        f"{content}: Version 1 again.",
    )


def test_restoring_what_is_live_changes_nothing(admin_client, content):
    admin_client.post(restore_of(content, 3))
    assert parts_of(content)[0] == 3
    assert not LogEntry.objects.exists()


def test_a_version_that_names_what_its_trigger_does_not_have_any_more_is_not_restored(admin_client):
    content = make_trigger().subscriptions.get().template.contents.get()
    ContentVersion.objects.create(content=content, number=0, text="{{ instance.gone }}")
    response = admin_client.post(restore_of(content, 0), follow=True)
    assert "Version 0 cannot be restored: “instance.gone”" in response.content.decode()
    assert parts_of(content)[0] == 1


def test_a_content_of_a_file_is_not_restored(admin_client, content):
    type(content).objects.filter(pk=content.pk).update(file="shop/sale.html")
    response = admin_client.post(restore_of(content, 1), follow=True)
    assert "It is made from the file shop/sale.html" in response.content.decode()
    assert parts_of(content)[0] == 3


def test_a_test_is_no_version_to_restore(admin_client):
    version = ContentVersion.objects.create(number=0, text="x")
    assert admin_client.post(f"/admin/notifier/template/version/{version.pk}/restore/").status_code == 404


def test_the_page_is_for_those_who_may_view_and_the_restore_for_those_who_may_change(client_with, content):
    viewer = client_with("view_template")
    page = text_of(viewer.get(versions_of(content, 1)))
    assert "Restore version" not in page
    assert viewer.post(restore_of(content, 1)).status_code == 403
    changer = client_with("change_template")
    assert "Restore version 1" in text_of(changer.get(versions_of(content, 1)))
    assert changer.get(restore_of(content, 1)).status_code == 405
    assert client_with("change_trigger").get(versions_of(content)).status_code == 403
    assert parts_of(content)[0] == 3


# The comparison


def shown(old, new):
    """Rows as text: the changed words in brackets."""
    signs = {"same": " ", "gone": "-", "new": "+"}
    return [
        f"… {row.hidden}"
        if row.kind == "gap"
        else signs[row.kind]
        + "".join(f"[{text}]" if changed and row.kind != "same" else text for text, changed in row.pieces)
        for row in compare(old, new)
    ]


COMPARED = [
    # old, new, what is shown
    ("a", "a", []),
    ("", "a", ["-", "+[a]"]),
    ("one two", "one three", ["-one [two]", "+one [three]"]),
    ("a\nb", "a\nb\nc", [" a", " b", "+[c]"]),
    ("a\nb\nc", "a\nc", [" a", "-[b]", " c"]),
    ("1\n2\n3\n4\n5\nx", "1\n2\n3\n4\n5\ny", ["… 2", " 3", " 4", " 5", "-[x]", "+[y]"]),
    ("x\n1\n2\n3\n4\n5", "y\n1\n2\n3\n4\n5", ["-[x]", "+[y]", " 1", " 2", " 3", "… 2"]),
    ("{{ a.b }}", "{{ a.c }}", ["-{{ a.[b] }}", "+{{ a.[c] }}"]),
]


@pytest.mark.parametrize(("old", "new", "rows"), COMPARED)
def test_texts_are_compared_by_lines_and_within_them_by_words(old, new, rows):
    assert shown(old, new) == rows


@pytest.mark.parametrize("unit", ["a\n", "word ", "x", "{{ a }}\n"])
def test_the_largest_templates_are_compared_within_seconds(unit):
    size = 64 * 1024 // len(unit)
    old = unit * size
    new = old.replace(unit, unit.upper().replace("A", "b"))
    with at_most(seconds=5):
        compare(old, new)
