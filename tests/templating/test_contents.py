"""Contents compiled once a version and specialised once an event; subjects that a header cannot be broken
with.
"""

import pytest

from notifier.deliveries import versions
from notifier.exceptions import TemplateRefused
from notifier.models import ContentVersion
from notifier.models.templates import layout_book
from notifier.templating import contents, rendering
from tests.support.builders import make_template

pytestmark = pytest.mark.one_database

SUBJECTS = [
    # as rendered, as it is sent
    ("48 hours of linen", "48 hours of linen"),
    ("  padded \t", "padded"),
    ("", ""),
    ("Sale\r\nBcc: eve@example.com", "Sale Bcc: eve@example.com"),
    ("Sale\nX: y", "Sale X: y"),
    ("Sale\rX: y", "Sale X: y"),
    ("\r\n\r\nbody", "body"),
    ("a\x00b\x07c\x7fd", "a b c d"),
    ("a\x1b[31mred", "a [31mred"),  # a terminal's colours
    ("a\x85b\u2028c\u2029d", "a b c d"),  # line breaks of other alphabets
    ("a\x0bb\x0cc", "a b c"),
    ("a\u202eb", "a b"),  # turns the direction of what follows
    ("half \ud800 a pair", "half a pair"),
    ("a \r\n\t b", "a b"),
    # What joins letters and pictures, or says how they stand, is part of them
    ("👩‍👩‍👧‍👦 ❤️‍🔥 👍🏽 1️⃣", "👩‍👩‍👧‍👦 ❤️‍🔥 👍🏽 1️⃣"),
    ("🇩🇪 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🇩🇪 🏴󠁧󠁢󠁥󠁮󠁧󠁿"),  # flags: of two letters, and of tags
    ("می\u200cخواهم", "می\u200cخواهم"),  # Persian
    ("क्\u200dष", "क्\u200dष"),  # Hindi
    ("\u200fשלום\u200e 5", "\u200fשלום\u200e 5"),
    ("\u2068Ann\u2069 · \u202aa\u202c · \u061c1", "\u2068Ann\u2069 · \u202aa\u202c · \u061c1"),
    ("\U0001faea \U0001fb00", "\U0001faea \U0001fb00"),  # newer than Python's tables
    ("Prix\u00a0: 5\u202f000\u00a0€", "Prix\u00a0: 5\u202f000\u00a0€"),  # blanks that keep things together
    ("東京\u3000大阪", "東京\u3000大阪"),
    ("co\u00adoperate \ue000 \ufeffx", "co\u00adoperate \ue000 \ufeffx"),
    ("Größe & Söhne · 30 % · 日本語 🎉", "Größe & Söhne · 30 % · 日本語 🎉"),
]


@pytest.mark.parametrize(("rendered", "sent"), SUBJECTS)
def test_a_subject_is_one_line_without_control_characters(rendered, sent):
    assert rendering.one_line(rendered) == sent


def content_of(*, subject="", text="", html=""):
    return rendering.EventContent(contents.compile_content(subject, text, html), {"title": "A\r\n<b>"})


def test_parts_are_escaped_in_html_alone_and_only_the_subject_is_made_one_line():
    parts = content_of(subject="{{ title }}", text="{{ title }}", html="{{ title }}").render({})
    assert parts == {"subject": "A <b>", "text": "A\r\n<b>", "html": "A\r\n&lt;b&gt;", "link": "", "icon": ""}


def test_a_blank_text_is_made_from_the_html_of_each_person():
    compiled = contents.CompiledContent(
        subject=contents.compile_part("", html=False),
        text=None,
        html=contents.compile_part("<p>Hello <b>{{ user.first_name }}</b></p>", html=True),
    )
    content = rendering.EventContent(compiled, {})
    assert [content.render({"first_name": name})["text"] for name in ("Ada", "Bo & Co")] == [
        "Hello Ada",
        "Hello Bo & Co",
    ]


def test_what_is_the_same_for_everybody_is_rendered_once_and_what_is_not_each_time():
    content = content_of(text="{{ title|length }} for {{ user.first_name }}")
    assert [content.render({"first_name": name})["text"] for name in ("Ada", "Bo")] == [
        "6 for Ada",
        "6 for Bo",
    ]
    assert content.user_paths == {"first_name": {"": {}}}


REFUSED = [
    # the part, its source, the line that the error names
    ("subject", "{{ title|nonsense }}", 1),
    ("text", "one\n{% nonsense %}", 2),
    ("html", "<p>\n\n{% if title %}", 3),
]


@pytest.mark.parametrize(("part", "source", "line"), REFUSED)
def test_a_part_that_does_not_compile_is_named_with_its_line(part, source, line):
    with pytest.raises(TemplateRefused) as caught:
        contents.compile_content(**({"subject": "", "text": "", "html": ""} | {part: source}))
    assert (caught.value.part, caught.value.line) == (part, line)


@pytest.mark.django_db
def test_a_version_is_compiled_once_and_a_change_of_the_template_is_another_version(
    django_assert_num_queries,
):
    content = make_template({"email": {"subject": "One", "text": "One"}}).contents.get()
    before = content.version_id
    with django_assert_num_queries(1):
        assert versions.compiled_version(before) is versions.compiled_version(before)
    content.subject = "Two"
    content.save()
    assert versions.compiled_version(before).subject.source == "One"
    assert versions.compiled_version(content.version_id).subject.source == "Two"


@pytest.mark.django_db
def test_saving_without_a_change_adds_no_version():
    content = make_template().contents.get()
    content.save()
    assert ContentVersion.objects.filter(content=content).count() == 1


UNSAVED = [
    # what is wrong with the parts, the part and the line that are named, the words
    ({"subject": "a\n{{ title|safe }}"}, "subject", 2, "There is no filter"),
    ({"html": "{% extends 'none' %}"}, "html", None, "There is no template “none”"),
    ({"text": "x", "html": "{% for a in title %}" + "{{ title }}" * 300 + "{% endfor %}"}, "html", None,
     "longer"),
    ({"text": "{{ title|wordwrap:0 }}"}, "text", None, "It cannot be rendered: "),
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(("parts", "part", "line", "words"), UNSAVED)
def test_what_is_not_saved_and_cannot_be_shown_says_where(parts, part, line, words):
    with pytest.raises(TemplateRefused, match=words) as caught:
        rendering.render_unsaved(parts, channel="email", data={"title": "word " * 60}, user={}, links={})
    assert (caught.value.part, caught.value.line) == (part, line)


@pytest.mark.django_db
def test_what_is_not_saved_is_rendered_as_it_would_be_sent():
    make_template({"email": {"html": "x"}})
    layout = make_template(
        {"email": {"html": "<style>p{color:red}</style><p>{% block main %}{% endblock %}"}}
    )
    parts = {
        "subject": "{{ title }}\n!",
        "html": f"{{% extends '{layout.name}' %}}{{% block main %}}Hi {{{{ user.name }}}}{{% endblock %}}",
    }
    rendered = rendering.render_unsaved(
        parts,
        channel="email",
        book=layout_book("email"),
        data={"title": "Sale"},
        user={"name": "Ann & Bo"},
        links={},
    )
    assert (rendered["subject"], rendered["text"]) == ("Sale !", "Hi Ann & Bo")
    assert '<p style="color: red;">Hi Ann &amp; Bo</p>' in rendered["html"]
