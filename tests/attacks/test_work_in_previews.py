"""A template past the work that one message may cost is a sentence for its editor, no page of an error."""

import pytest

from notifier.explaining import preview
from notifier.models import TemplateContent
from notifier.templating.compiler import MAX_WORK_BYTES

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

LONG = "x" * 9_000
INNER = (
    "{% for b in 'xxxxxxxxxxxxxxxxxxxx' %}{% for c in 'xxxxxxxxxxxxxxxxxxxx' %}"
    f"{{% if '{LONG}'|upper|lower|title|length %}}{{% endif %}}"
    "{% endfor %}{% endfor %}"
)
HEAVY = {
    "of one event": INNER,
    "of a digest": "{% for event in events %}" + INNER + "{% endfor %}",
    "of a person": "{% if user.first_name %}" + INNER + "{% endif %}",
}


@pytest.mark.parametrize("part", ["subject", "text", "html"])
@pytest.mark.parametrize("source", HEAVY.values(), ids=HEAVY)
def test_lint_and_preview_say_a_sentence(source, part):
    content = TemplateContent(channel="email", **({"text": "x"} | {part: source}))
    found = preview.preview(content)
    assert [(each.part, each.is_error) for each in found.errors] == [(part, True)]
    assert f"{MAX_WORK_BYTES:,} bytes" in found.errors[0].text
    errors, _warnings = preview.lint(content)
    assert [each.part for each in errors] == [part]
