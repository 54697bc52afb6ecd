"""A content names a template file of the project: read where Django reads templates, compiled by our engine,
copied into a version.
"""

from copy import deepcopy

import pytest
from django.core import checks
from django.core.exceptions import ValidationError
from django.core.management.sql import emit_post_migrate_signal

from notifier.deliveries import versions
from notifier.exceptions import TemplateRefused
from notifier.models import ContentVersion, Template, TemplateContent
from notifier.templating import files, rendering

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]


@pytest.fixture
def folder(tmp_path, settings):
    """A folder of templates of the project; beside it a file that is none of them."""
    inside = tmp_path / "templates"
    (inside / "emails").mkdir(parents=True)
    (tmp_path / "outside.html").write_text("outside")
    templates = deepcopy(settings.TEMPLATES)
    templates[0]["DIRS"] = [inside]
    settings.TEMPLATES = templates
    (inside / "emails/sale.html").write_text("<p>{{ title }}</p>")
    return inside


def make_content(file="emails/sale.html", **parts):
    template, _ = Template.objects.get_or_create(name="sale")
    return TemplateContent(template=template, channel="email", file=file, **parts)


def migrate():
    """What Django says at the end of every deployment's migration."""
    emit_post_migrate_signal(verbosity=0, interactive=False, db="default")


def test_the_files_source_is_copied_into_a_version(folder):
    (folder / "emails/sale.html").write_text("<p>{{ title }}</p>\n")
    content = make_content(subject="Now: {{ title }}")
    content.full_clean()
    content.save()
    (folder / "emails/sale.html").unlink()
    assert (content.html, content.version.html, content.version.subject) == (
        "",
        "<p>{{ title }}</p>\n",
        "Now: {{ title }}",
    )
    compiled = versions.compiled_version(content.version_id)
    parts = rendering.EventContent(compiled, {"title": "<Linen>"}).render({})
    assert parts == {
        "subject": "Now: <Linen>",
        "text": "<Linen>",
        "html": "<p>&lt;Linen&gt;</p>\n",
        "link": "",
        "icon": "",
    }


def test_a_text_file_beside_it_is_its_text_and_a_text_alone_has_no_html(folder):
    (folder / "emails/sale.txt").write_text("In words: {{ title }}")
    assert files.read_parts("emails/sale.html") == ("In words: {{ title }}", "<p>{{ title }}</p>")
    assert files.read_parts("emails/sale.txt") == ("In words: {{ title }}", "")


NAMES = [
    "", "../outside.html", "emails/../../outside.html", "/etc/passwd", "/etc/hosts.html", "emails\\sale.html",
    "..\\outside.html", "C:\\x.html", "emails/sale.html\0", "emails/sale.html\n", "sale.py", "settings.py",
    ".env", ".hidden.html", "emails/.git/x.html", "emails//sale.html", "./emails/sale.html", "emails/",
    "emails", "http://example.com/x.html", "file:///etc/x.html", "~/x.html", "emails/sale.html.py",
    "%2e%2e/outside.html", "none.html", "emails.html", "é.html", "a" * 300 + ".html", "{{ x }}.html",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_no_other_file_can_be_named(folder, name):
    with pytest.raises(TemplateRefused) as caught:
        files.read_parts(name)
    assert caught.value.part == "file"
    assert "outside" not in str(caught.value).replace(name[:80], "")


REFUSED = [
    # what the file holds, what is said
    (b"{% load static %}", "Line 1: There is no tag “load” here."),
    (b"{{ request.user.password }}", "may be a secret"),
    (b"{% include 'other.html' %}", "There is no tag “include”"),
    (b"{{ title|safe }}", "There is no filter “safe”"),
    (b"\xff\xfe", "cannot be read: UnicodeDecodeError"),
    (b"x" * 70_000, "longer than 65,536 bytes"),
    # Layouts are the database's
    (b"{% extends 'base.html' %}", "There is no template “base.html” for email"),
]


@pytest.mark.parametrize(("source", "words"), REFUSED)
def test_a_file_may_say_what_a_template_of_the_database_may(folder, source, words):
    (folder / "emails/sale.html").write_bytes(source)
    with pytest.raises(ValidationError) as caught:
        make_content().full_clean()
    assert words in caught.value.message_dict["file"][0]
    with pytest.raises(TemplateRefused):
        make_content().save()


@pytest.mark.parametrize(
    ("parts", "field"), [({"html": "x"}, "file"), ({"text": "x"}, "file"), ({"file": ""}, "text")]
)
def test_a_content_has_a_file_or_parts_and_not_both(folder, parts, field):
    with pytest.raises(ValidationError) as caught:
        make_content(**parts).full_clean()
    assert field in caught.value.message_dict


def test_a_deployment_brings_a_file_that_has_changed_and_nothing_else(folder):
    content = make_content()
    content.save(author="ada")
    migrate()
    assert ContentVersion.objects.count() == 1
    (folder / "emails/sale.html").write_text("<p>New {{ title }}</p>")
    migrate()
    version = TemplateContent.objects.get().version
    assert (version.number, version.html, version.note) == (
        2,
        "<p>New {{ title }}</p>",
        "The file has changed.",
    )


@pytest.mark.parametrize("spoil", [lambda file: file.unlink(), lambda file: file.write_text("{% load x %}")])
def test_a_file_that_cannot_be_used_keeps_its_version_and_is_complained_of(folder, spoil, caplog):
    content = make_content()
    content.save()
    spoil(folder / "emails/sale.html")
    migrate()
    assert TemplateContent.objects.get().version_id == content.version_id
    assert "emails/sale.html" in caplog.text
    found = [
        problem
        for problem in checks.run_checks(tags=["database"], databases=["default"])
        if problem.id == "notifier.W005"
    ]
    assert len(found) == 1
    assert "sale · email" in found[0].msg
