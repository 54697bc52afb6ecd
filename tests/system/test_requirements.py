"""docs/requirements.md: a row for each thing that was asked, and every test and page that it names is
there.
"""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
DOCS = TESTS.parent / "docs"
TEXT = (DOCS / "requirements.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| ([A-D]\d+)(?: ◐)? \|(.*)$", TEXT, flags=re.M))
SECTIONS = {"A": 12, "B": 18, "C": 18, "D": 35}


def functions_in(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def headings_of(path):
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_everything_that_was_asked_has_one_row():
    found = re.findall(r"^\| ([A-D]\d+)\b", TEXT, flags=re.M)
    assert found == [
        f"{section}{number}" for section, last in SECTIONS.items() for number in range(1, last + 1)
    ]


@pytest.mark.parametrize("row", ROWS)
def test_what_shows_a_row_is_there(row):
    shown_by = ROWS[row].rsplit("|", 2)[1]
    tests = re.findall(r"`([\w/]+\.py)::(\w+)`", shown_by)
    pages = re.findall(r"\]\(([\w-]+\.md)(?:#([\w-]+))?\)", shown_by)
    assert tests or pages
    # Whatever stands there is one or the other, so that no misspelt name passes unseen.
    assert len(tests) + len(pages) == shown_by.count("`") // 2 + shown_by.count("](")
    assert [(path, name) for path, name in tests if name not in functions_in(TESTS / path)] == []
    assert [page for page, anchor in pages if anchor and anchor not in headings_of(DOCS / page)] == []
    assert [page for page, _ in pages if not (DOCS / page).exists()] == []


def test_what_is_not_fully_met_is_said_at_the_top_too():
    above, _, _ = TEXT.partition("## A.")
    assert re.findall(r"\b([A-D]\d+) \(", above) == re.findall(r"^\| ([A-D]\d+) ◐", TEXT, flags=re.M)


@pytest.mark.parametrize(
    "page",
    [*sorted(DOCS.glob("*.md")), TESTS.parent / "README.md", TESTS.parent / "CHANGELOG.md"],
    ids=lambda page: page.name,
)
def test_every_link_between_pages_leads_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", text):
        led_to = (page.parent / target).resolve() if target else page
        assert led_to.exists(), target
        assert not anchor or anchor in headings_of(led_to), f"{target}#{anchor}"
