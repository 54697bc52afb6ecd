"""Rules as a file: what is written, what is read, what an import changes, and what it refuses."""

import json
import re
from io import BytesIO, StringIO, TextIOWrapper

import pytest
import yaml
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings as drawing, strategies as st

from notifier import rulefiles
from notifier.deploy import operations
from notifier.events.index import index
from notifier.exceptions import RulesFileRefused
from notifier.models import Audience, ContentVersion, Event, Subscription, Template, TemplateContent, Trigger
from notifier.rulefiles import texts
from notifier.rulefiles.reading import MAX_BYTES
from notifier.rulefiles.writing import FORMATS
from notifier.rules import providers
from project.demo.models import Post
from tests.support.builders import make_audience, make_template, make_trigger, make_user

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

SMALL = """\
version: 1
audiences:
  Everyone:
    everyone: true
templates:
  hello:
    contents:
      - channel: email
        subject: '{{ instance.title }}'
        text: |
          Hello {{ user.first_name }},

          read it.
triggers:
  Post created:
    signal: post_save
    model: demo.post
    saved: created
    subscriptions:
      - template: hello
        channels: [email]
        audiences: [Everyone]
"""


def load(text, **options):
    """What an import of the text changes, as ``(action, what)``."""
    return [(change.action, change.what) for change in texts.import_text(text, **options)]


def delete_rules():
    for model in (Subscription, Trigger, Template, Audience):
        model.objects.all().delete()


# What is written.


def test_an_export_reads_well():
    """No ids, no dates, defaults left out, texts as blocks, one row a paragraph; the same whatever the order
    of the rows.
    """
    load(SMALL)
    head, _, body = texts.export_text().partition("version: 1\n")
    assert all(line.startswith("#") for line in head.split("\n") if line)
    assert (
        body.replace("\n\n", "\n").strip() == SMALL.partition("version: 1\n")[2].replace("\n\n", "\n").strip()
    )
    assert "\n\ntemplates:\n  hello:\n" in body


# text, how it stands in the file
@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("one\ntwo\n", "|\n"),
        ("one\ntwo", "|-\n"),
        ("one  \ntwo\n", "|\n"),  # spaces before a line break, which PyYAML would put in quotes
        ("\tone\n\t\ttwo\n", "|\n"),  # tabs, the same
        ("  one\ntwo\n", "|2\n"),  # begins with spaces
        ("one\r\ntwo\r\n", "|\n"),  # from a browser's form
        ("ünï 🎉\n\nzwei\n", "|\n"),
        ("a\x0bb\n", '"'),  # no block can hold it
        ("a\x85b\n", '"'),  # nor this, which counts as a line break
    ],
)
def test_texts_of_several_lines_are_blocks(text, style):
    make_template({"email": {"text": text}})
    written = texts.export_text()
    assert f"text: {style}" in written
    assert yaml.safe_load(written)["templates"].popitem()[1]["contents"][0]["text"] == text.replace(
        "\r\n", "\n"
    )


def test_people_are_not_written_and_stay_where_they_are():
    person, group = make_user(), Group.objects.create(name="Staff")
    audience = make_audience(users=[person], groups=[group])
    text = texts.export_text()
    assert person.username not in text
    assert "Staff" in text
    assert rulefiles.unwritten_people() == [audience.name]
    load(text.replace("groups: [Staff]", "groups: []"))
    assert list(audience.users.all()) == [person]
    assert not audience.groups.exists()


def test_an_export_costs_a_few_queries_whatever_the_number_of_rules(django_assert_max_num_queries):
    for _ in range(5):
        make_trigger()
    with django_assert_max_num_queries(9):
        texts.export_text()


# What goes out comes in again.

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).filter(
    lambda name: name.strip()
)
SLUGS = st.from_regex(r"[a-zA-Z0-9_-]{1,20}", fullmatch=True)
# What no template takes for itself: blocks, variables, and what a database cannot hold.
TEXTS = st.text(
    st.one_of(st.characters(exclude_categories=["Cs"], exclude_characters="\0{}\r"), st.sampled_from("\n \t"))
).filter(str.strip)
CONTENTS = st.dictionaries(
    st.tuples(st.sampled_from(["email", "sms", "twitter"]), st.sampled_from(["", "de", "pt-br"])),
    st.fixed_dictionaries(
        {
            "subject": st.text(
                st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="{}"), max_size=50
            )
        }
    )
    | st.fixed_dictionaries({"text": TEXTS}),
    min_size=1,
    max_size=3,
)


@st.composite
def documents(draw):
    audiences = draw(
        st.dictionaries(
            NAMES,
            st.fixed_dictionaries(
                {
                    "everyone": st.booleans(),
                    "addresses": st.lists(st.just("email: ops@example.com"), max_size=1),
                }
            ),
            min_size=1,
            max_size=3,
        )
    )
    templates = {}
    for name in draw(st.sets(SLUGS, min_size=1, max_size=3)):
        contents = [
            {"channel": channel, "language": language, "text": "-", **parts}
            for (channel, language), parts in draw(CONTENTS).items()
        ]
        templates[name] = {
            "description": draw(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=50)),
            "contents": contents,
        }
    found = {}
    for name in draw(st.sets(NAMES, max_size=3)):
        template = draw(st.sampled_from(sorted(templates)))
        subscription = {
            "template": template,
            "channels": sorted({content["channel"] for content in templates[template]["contents"]}),
            "audiences": sorted(draw(st.sets(st.sampled_from(sorted(audiences)), min_size=1))),
            "enabled": draw(st.booleans()),
        }
        found[name] = {
            "signal": "post_save", "model": "demo.post",
            "saved": draw(st.sampled_from(["any", "created", "updated"])),
            "instance": draw(st.sampled_from(["", "7"])), "enabled": draw(st.booleans()),
            "shadow": draw(st.booleans()),
            "subscriptions": draw(st.sampled_from([[], [subscription], [subscription, subscription]])),
        }  # fmt: skip
    return {"version": 1, "audiences": audiences, "templates": templates, "triggers": found}


@drawing(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(document=documents(), file_format=st.sampled_from(FORMATS))
def test_what_is_exported_is_imported_again_as_it_was(document, file_format):
    delete_rules()
    rulefiles.import_rules(rulefiles.check_document(document))
    written = texts.export_text(file_format)
    assert load(written, file_format=file_format) == []
    delete_rules()
    load(written, file_format=file_format)
    assert texts.export_text(file_format) == written


@drawing(max_examples=200, deadline=None)
@given(
    text=st.text(
        st.one_of(
            st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"),
            st.sampled_from("\n \t#:-'\"|"),
        )
    )
)
def test_any_text_survives_yaml_and_json(text):
    for file_format in FORMATS:
        document = {"version": 1, "templates": {"a": {"contents": [{"text": text, "names": [text, "b"]}]}}}
        assert texts.read_document(texts.write_document(document, file_format), file_format)[0] == document


@pytest.mark.parametrize(
    "word", ["no", "on", "yes", "null", "~", "true", "1e3", "0x1", "12", "2026-01-31", "1:30", "=", "<<", ""]
)
def test_words_that_mean_something_to_yaml_stay_words(word):
    document = {"version": 1, "templates": {word: {"description": word}}}
    assert texts.read_document(texts.write_document(document))[0] == document
    assert yaml.safe_load(texts.write_document(document)) == document  # to other readers too


# What an import does.


def test_an_import_makes_what_is_missing_and_says_so():
    assert load(SMALL, source="rules.yaml") == [
        ("created", "audience “Everyone”"),
        ("created", "template “hello”"),
        ("created", "template “hello” · email"),
        ("created", "trigger “Post created”"),
        ("created", "trigger “Post created” → hello → Everyone"),
    ]
    version = ContentVersion.objects.get()
    assert (version.number, version.author, version.note) == (1, "rules import", "From rules.yaml.")
    assert version.text == "Hello {{ user.first_name }},\n\nread it.\n"


def test_a_second_import_changes_nothing_and_makes_no_version():
    load(SMALL)
    # As a browser would have sent it
    TemplateContent.objects.update(text="Hello {{ user.first_name }},\r\n\r\nread it.\r\n")
    before = index.token
    assert load(SMALL) == []
    assert ContentVersion.objects.count() == 1
    assert index.token == before


# in the file, instead of; what changes: what, key, old, new
CHANGES = [
    (
        "everyone: true",
        "addresses: ['email: a@example.com']",
        "audience “Everyone”",
        ["everyone", "addresses"],
    ),
    ("saved: created", "saved: updated", "trigger “Post created”", ["saved"]),
    ("saved: created", "saved: created\n    shadow: true", "trigger “Post created”", ["shadow"]),
    ("saved: created", "condition: instance.title", "trigger “Post created”", ["saved", "condition"]),
    ("read it", "read this", "template “hello” · email", ["text"]),
    ("contents:", "description: Greets.\n    contents:", "template “hello”", ["description"]),
    (
        "[Everyone]",
        "[Everyone]\n        enabled: false",
        "trigger “Post created” → hello → Everyone",
        ["enabled"],
    ),
]


@pytest.mark.parametrize(("old", "new", "what", "keys"), CHANGES)
def test_an_import_says_which_fields_it_changed(old, new, what, keys):
    load(SMALL)
    (change,) = texts.import_text(SMALL.replace(old, new))
    assert (change.action, change.what, [key for key, _, _ in change.fields]) == ("changed", what, keys)
    assert load(SMALL.replace(old, new)) == []


def test_a_subscription_whose_audience_or_template_changes_stays_one():
    """Two side by side would tell everybody twice."""
    load(SMALL)
    key = Subscription.objects.get().pk
    load(
        SMALL.replace("[Everyone]", "[Everyone, Staff]").replace(
            "  Everyone:", "  Staff:\n    everyone: true\n  Everyone:"
        )
    )
    assert Subscription.objects.get().pk == key
    assert Subscription.objects.get().audiences.count() == 2
    load(SMALL.replace("hello", "goodbye").replace("[Everyone]", "[Everyone, Staff]"))
    assert Subscription.objects.get().pk == key
    assert Subscription.objects.get().template.name == "goodbye"


def test_what_the_file_does_not_have_stays_unless_it_is_pruned():
    load(SMALL)
    other = SMALL.replace("Post created", "Post told").replace("hello", "told").replace("Everyone", "All")
    kept = [
        ("kept", "trigger “Post created”"), ("kept", "template “hello”"), ("kept", "audience “Everyone”"),
    ]  # fmt: skip
    assert [each for each in load(other) if each[0] != "created"] == kept
    assert [action for action, _ in load(other, prune=True)] == ["removed"] * 3
    assert load(other, prune=True) == []
    assert [model.objects.count() for model in (Trigger, Subscription, Template, Audience)] == [1, 1, 1, 1]


def test_a_dry_run_says_all_and_saves_nothing():
    assert len(load(SMALL, dry_run=True)) == 5
    assert not Trigger.objects.exists()
    assert not Template.objects.exists()


def test_rows_that_only_fit_together_are_imported_together():
    """A path that the old trigger's model does not have, and the new one's does."""
    load(SMALL)
    text = SMALL.replace("demo.post", "demo.movie").replace("everyone: true", "paths: [instance.audiences]")
    assert [action for action, _ in load(text)] == ["changed"] * 2


LAYOUTS = """\
version: 1
templates:
  a_letter:
    contents:
      - channel: email
        text: '{% extends "the_layout" %}{% block body %}Dear {{ user.first_name }}{% endblock %}'
  the_layout:
    contents:
      - channel: email
        text: 'Head. {% block body %}{% endblock %}'
"""


def test_layouts_come_in_any_order_and_leave_together():
    load(LAYOUTS)
    assert TemplateContent.objects.get(template__name="a_letter").layout.name == "the_layout"
    assert load(LAYOUTS) == []
    changes = load(LAYOUTS.replace("Head.", "New head."))
    assert changes == [("changed", "template “the_layout” · email")]
    newest = ContentVersion.objects.filter(content__template__name="a_letter").first()
    assert newest.author == "rules import"
    assert "New head." in newest.whole_text
    assert len(load("version: 1\n", prune=True)) == 2


def test_all_rules_are_read_anew_once():
    """Each change of a rule makes this process read all of them: 200 rules would be read 1,000 times."""
    with CaptureQueriesContext(connection) as queries:
        load(SMALL)
    writes = [
        each["sql"]
        for each in queries
        if "notifier_rulesversion" in each["sql"] and not each["sql"].startswith("SELECT")
    ]
    # Django 6.1 writes “= 1” as well.
    live = re.compile(r' WHERE "notifier_trigger"\."enabled"( = 1)? ORDER')
    assert (len(writes), sum(bool(live.search(each["sql"])) for each in queries)) == (1, 1)


def test_the_rules_are_live_in_this_process_at_once():
    load(SMALL)
    Post.objects.create(title="One")
    assert Event.objects.get().verb == "post_save"


def test_a_refused_import_leaves_the_rules_as_they_were():
    load(SMALL)
    with pytest.raises(RulesFileRefused):
        load(SMALL.replace("read it", "read this").replace("demo.post", "demo.nothing"))
    assert "read it" in TemplateContent.objects.get().text
    Post.objects.create(title="One")
    assert Event.objects.exists()


def test_files_and_providers_of_the_project_are_named_not_copied(tmp_path, settings, monkeypatch):
    (tmp_path / "sale.html").write_text("<p>{{ forecast }}</p>")
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [tmp_path]}]
    monkeypatch.setattr(providers, "_registry", {})
    text = SMALL.replace("contents:", "providers: [weather]\n    contents:").replace(
        "subject:", "language: de\n        subject:"
    )
    text = (
        text[: text.index("        text: |")] + "        file: sale.html\n" + text[text.index("triggers:") :]
    )
    with pytest.raises(
        RulesFileRefused, match="line 7: templates › hello › providers: There is no context provider weather"
    ):
        load(text)
    providers.register_provider("weather", dict, provides=["forecast"])
    load(text)
    assert ContentVersion.objects.get().html == "<p>{{ forecast }}</p>"
    written = texts.export_text()
    assert "providers: [weather]" in written
    assert "language: de" in written
    assert "file: sale.html" in written
    assert "<p>" not in written
    assert load(written) == []


# What it refuses: the whole file, with everything that is wrong.

HEAD = "version: 1\n"


def content(parts):
    return HEAD + "templates: {a: {contents: [{channel: email, " + parts + "}]}}"


TRIGGER = SMALL.replace("model: demo.post", "%s")
BAD = [
    # not readable at all
    ("", "A file of rules has the keys"),
    ("- 1", "A file of rules has the keys"),
    ("version: 1\n  x: 1", "line 2: This is not YAML: mapping values are not allowed here"),
    ("version: 1\nx: [1", "This is not YAML"),
    ("version: 1\n--- \nversion: 1\n", "This is not YAML: expected a single document"),
    ("version: \x01", "This is not YAML: unacceptable character"),
    ("a: &a [1]\nb: *a", "line 1: Anchors and aliases"),
    (
        "version: !!python/object/apply:os.system [ls]",
        "line 1: version: The tag tag:yaml.org,2002:python/object/apply:os.system",
    ),
    (
        "version: !!python/name:os.system x",
        "line 1: version: The tag tag:yaml.org,2002:python/name:os.system",
    ),
    ("version: !!set {a}", "The tag tag:yaml.org,2002:set is not read"),
    ("? [a]\n: 1\n", "line 1: A key is a plain text."),
    ("version: 1\nversion: 1", "line 2: version: This is here twice; the first is on line 1."),
    (
        "version: 1\naudiences:\n  A: {}\n  B: {}\n  A: {}",
        "line 5: audiences › A: This is here twice; the first is on line 3.",
    ),
    ("[" * 5000, "nested more than"),
    (f"version: 1\n#{'x' * MAX_BYTES}", "longer than 4 MB"),
    # the format
    ("triggers: {}", "version: The version of the format is missing; this release reads version: 1."),
    ("version: 2", "line 1: version: The version of the format is 2"),
    ("version: true", "The version of the format is True"),
    # keys and types
    (
        f"{HEAD}trigger: {{}}",
        "line 2: trigger: There is no “trigger” here. There is: version, categories, "
        "audiences, templates, triggers.",
    ),
    (f"{HEAD}audiences: [A]", "line 2: audiences: Write the rows as name: …"),
    (f"{HEAD}audiences: {{A: everyone}}", "line 2: audiences › A: Write its keys below it: everyone, groups"),
    (
        f"{HEAD}audiences:\n  A:\n    users: [ada]",
        "line 4: audiences › A › users: There is no “users” here. People are not kept",
    ),
    (f"{HEAD}audiences: {{A: {{everyone: yes}}}}", "audiences › A › everyone: This is true or false."),
    (
        f"{HEAD}audiences: {{A: {{paths: instance.owner}}}}",
        "audiences › A › paths: This is a list: [one, another]",
    ),
    (f"{HEAD}audiences: {{A: {{groups: [x, x]}}}}", "audiences › A › groups › 2: “x” is here twice."),
    (f"{HEAD}audiences: {{A: {{paths: ['']}}}}", "audiences › A › paths › 1: This one is empty."),
    (
        f"{HEAD}templates: {{a: {{description: true}}}}",
        'description: This is a text. Write it in quotes: "true".',
    ),
    (f"{HEAD}templates: {{a: {{description: [x]}}}}", "description: This is a text."),
    (f'{HEAD}templates: {{a: {{description: "\\0"}}}}', "There is a character in it that no text can hold."),
    (content("text: b}, {channel: email, text: c"), "contents › 2: There are two contents for email."),
    (
        f"{HEAD}templates: {{a: {{contents: [{{text: b}}]}}}}",
        "templates › a › contents › 1: “channel” is missing.",
    ),
    (
        f"{HEAD}triggers: {{A: {{verb: post_save}}}}",
        "triggers › A › verb: There is no “verb” here. Write signal.",
    ),
    (f"{HEAD}triggers: {{A: {{model: demo.post}}}}", "line 2: triggers › A: “signal” is missing."),
    (
        f'{HEAD}audiences: {{"a\\0": {{}}}}',
        "line 2: audiences: There is a character in it that no text can hold.",
    ),
    # what a field cannot hold
    (f"{HEAD}audiences: {{'': {{}}}}", "line 2: audiences › : This field cannot be blank."),
    (f"{HEAD}audiences: {{{'x' * 101}: {{everyone: true}}}}", "Ensure this value has at most 100 characters"),
    (f"{HEAD}templates: {{a b: {{}}}}", "Enter a valid “slug”"),
    (
        SMALL.replace("saved: created", "saved: sometimes"),
        "triggers › Post created › saved: Value 'sometimes' is not a valid choice.",
    ),
    # what this stage does not have
    (
        f"{HEAD}audiences: {{A: {{groups: [Staff]}}}}",
        "audiences › A › groups: There is no group “Staff” here. There are: none.",
    ),
    (f"{HEAD}audiences: {{A: {{functions: [near]}}}}", "audiences › A › functions: Not registered: near."),
    (
        f"{HEAD}audiences: {{A: {{addresses: ['fax: 1']}}}}",
        "audiences › A › addresses: “fax: 1”: write the channel first",
    ),
    (
        TRIGGER % "model: demo.nothing",
        "line 17: triggers › Post created › model: There is no model “demo.nothing”.",
    ),
    (
        SMALL.replace("post_save", "order_placed"),
        "line 16: triggers › Post created › signal: No signal is registered as “order_placed”.",
    ),
    (
        SMALL.replace("[email]", "[email, fax]"),
        "triggers › Post created › subscriptions › 1 › channels: No such channel: fax.",
    ),
    (
        SMALL.replace("[email]", "[email, sms]"),
        "subscriptions › 1 › template: The template “hello” has no content for: sms.",
    ),
    (
        SMALL.replace("template: hello", "template: hallo"),
        "There is no template “hallo” in this file, nor in the database.",
    ),
    (
        SMALL.replace("[Everyone]", "[Nobody]"),
        "audiences: There is no audience “Nobody” in this file, nor in the database.",
    ),
    # what does not fit together
    (
        SMALL.replace("instance.title", "instance.price"),
        "line 9: templates › hello › contents › 1 › subject: “instance.price”",
    ),
    (
        TRIGGER % "model: demo.post\n    condition: instance.price > 1",
        "triggers › Post created › condition: ",
    ),
    (
        TRIGGER % "model: demo.post\n    instance: seven",
        "triggers › Post created › instance: “seven” value must be an integer",
    ),
    (content('text: "{% debug %}"'), "line 2: templates › a › contents › 1 › text: "),
    (content('text: "{{ user.password }}"'), "templates › a › contents › 1 › text: "),
    (content("subject: x"), "templates › a › contents › 1 › text: Write a text or an HTML body."),
    (content("language: De, text: x"), "contents › 1 › language: Write the language as a code"),
    (
        LAYOUTS.replace("the_layout:", "another:"),
        "line 6: templates › a_letter › contents › 1 › text: There is no template “the_layout”",
    ),
    (
        SMALL.replace("everyone: true", "paths: [instance.owner]"),
        "line 4: audiences › Everyone › paths: “instance.owner”",
    ),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_a_bad_file_is_refused_with_what_and_where(text, message):
    with pytest.raises(RulesFileRefused) as refusal:
        load(text)
    assert message in str(refusal.value)
    assert not any(model.objects.exists() for model in (Trigger, Template, Audience))


def test_an_audience_of_the_database_must_fit_the_files_triggers():
    audience = make_audience(paths="instance.audiences")
    with pytest.raises(
        RulesFileRefused, match=f"subscriptions › 1 › audiences: “{audience.name}”: “instance.audiences”"
    ):
        load(SMALL.replace("[Everyone]", f"[{audience.name}]"))
    assert load(SMALL.replace("[Everyone]", f"[{audience.name}]").replace("demo.post", "demo.movie"))


# JSON, message
BAD_JSON = [
    ("", "line 1: This is not JSON: Expecting value."),
    ('{"version": 1,\n "a": }', "line 2: This is not JSON: Expecting value."),
    ('{"version": 1\n "a": 2}', "line 2: This is not JSON: A comma or } is expected."),
    ('{"version" 1}', "This is not JSON: A colon is expected."),
    ("{version: 1}", "This is not JSON: A key in double quotes is expected."),
    ('{"version": 1} x', "This is not JSON: Something comes after its end."),
    ('{"version": 1', "This is not JSON: A comma or } is expected."),
    ('{"version": 1,\n\n"version": 1}', "line 3: version: This is here twice; the first is on line 1."),
    ("[" * 5000, "nested more than"),
    ("9" * 5000, "There is a number in it that is too long."),
    (
        '{"version": 1, "audiences": {"A": {\n"everyone": 1}}}',
        "line 2: audiences › A › everyone: This is true or false.",
    ),
    ('{"version": 1, "templates": {"a": {"description": 1.5}}}', "description: This is a text."),
    (
        '{"version": 1, "templates": {"a": {"description": "\\ud800"}}}',
        "There is a character in it that no text can hold.",
    ),
]


@pytest.mark.parametrize(("text", "message"), BAD_JSON)
def test_a_bad_json_file_is_refused_with_what_and_where(text, message):
    with pytest.raises(RulesFileRefused) as refusal:
        load(text, file_format="json")
    assert message in str(refusal.value)


def test_everything_that_is_wrong_is_said_at_once():
    text = (
        SMALL.replace("demo.post", "demo.nothing")
        .replace("instance.title", "{")
        .replace("[email]", "[email, fax]")
    )
    with pytest.raises(RulesFileRefused) as refusal:
        load(text.replace("Hello", "{% debug %}"))
    lines = [problem.line for problem in refusal.value.problems]
    assert len(lines) > 1
    assert lines == sorted(lines)


def test_what_others_need_is_not_pruned():
    """A template of the file extends one that only the database has."""
    load(LAYOUTS)
    alone = LAYOUTS.partition("  the_layout:")[0]
    assert load(alone) == [("kept", "template “the_layout”")]
    with pytest.raises(RulesFileRefused, match="What the file does not have cannot be removed"):
        load(alone, prune=True)
    with pytest.raises(RulesFileRefused, match="There is no audience “Everyone” in this file"):
        load(SMALL)
        load(SMALL.replace("audiences:\n  Everyone:\n    everyone: true\n", ""), prune=True)


# The commands.


def command(*arguments, **options):
    out = StringIO()
    call_command("rules", *arguments, stdout=out, stderr=StringIO(), no_color=True, **options)
    return out.getvalue()


@pytest.mark.parametrize("ending", ["yaml", "json"])
def test_a_file_goes_out_and_comes_in(tmp_path, ending):
    path = str(tmp_path / f"rules.{ending}")
    load(SMALL)
    command("export", path)
    delete_rules()
    assert "created trigger “Post created”" in command("import", path)
    assert command("import", path) == "Nothing to change.\n"
    assert command("diff", path) == ""


def test_a_diff_shows_what_an_import_would_change_and_exits_with_1(tmp_path):
    load(SMALL)
    path = tmp_path / "rules.yaml"
    path.write_text(SMALL.replace("read it", "read this"))
    out = StringIO()
    with pytest.raises(CommandError, match="differ") as error:
        call_command("rules", "diff", str(path), stdout=out, no_color=True)
    assert error.value.returncode == 1
    assert [line for line in out.getvalue().split("\n") if line[:1] in ("+", "-")][2:] == [
        "-          read it.",
        "+          read this.",
    ]
    assert "\x1b[3" in _coloured_diff(path)


def _coloured_diff(path):
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("rules", "diff", str(path), stdout=out, force_color=True)
    return out.getvalue()


def test_an_order_that_means_nothing_is_no_difference(tmp_path):
    load(SMALL)
    head, templates = SMALL.split("templates:")
    path = tmp_path / "rules.yaml"
    path.write_text("version: 1\ntemplates:" + templates + head.removeprefix("version: 1\n"))
    assert command("diff", str(path)) == ""


# file's name, its bytes (None: there is none), message
@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("none.yaml", None, "cannot be read: No such file or directory."),
        (".", None, "cannot be read: Is a directory."),
        ("latin.yaml", "version: ä".encode("latin-1"), "is not UTF-8: byte 9"),
        ("rules.yaml", b"version: 3", "1 thing is wrong. Nothing was changed.\n  line 1: version: "),
    ],
)
def test_an_import_says_what_is_wrong_with_its_file_and_exits_with_2(tmp_path, name, data, message):
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(CommandError) as error:
        command("import", str(path))
    assert message in str(error.value)
    assert error.value.returncode == 2


def test_a_file_is_read_from_the_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(SMALL.encode())))
    assert "created" in command("import", "-", dry_run=True)


@pytest.mark.django_db(transaction=True)
def test_the_web_function_gives_its_rules_as_a_file_and_writes_none_of_them_into_its_log():
    """What ``aws lambda invoke`` stores, `rules import` reads."""
    load(SMALL.replace("everyone: true", "addresses: ['email: ops@example.com']"))
    answer = operations.export_rules({"command": "notifier.deploy.operations.export_rules"}, None)
    assert "ops@example.com" not in str(answer)
    stored = json.dumps(answer)
    delete_rules()
    load(stored, file_format="json")
    assert json.dumps(operations.export_rules({}, None)) == stored


def test_a_file_of_the_package_is_imported_as_zappa_calls_commands(monkeypatch, settings):
    """``zappa manage production "rules import …"``: divided at spaces, in the package's folder."""
    monkeypatch.chdir(settings.BASE_DIR)
    call_command(*["rules", "import", "project/demo/rules.yaml"], stdout=StringIO())
    assert Trigger.objects.count() == 3
