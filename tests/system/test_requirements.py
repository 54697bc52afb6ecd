"""docs/requirements.md: a row for each thing that was asked, and every test and page that it names is
there. In all pages: every link leads somewhere, and every file, dotted path and test of ours is there.
"""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path
from pkgutil import resolve_name

import pytest
from django.apps import apps

TESTS = Path(__file__).parent.parent
HOUSE = TESTS.parent
DOCS = HOUSE / "docs"
TEXT = (DOCS / "requirements.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| ([A-D]\d+)(?: ◐)? \|(.*)$", TEXT, flags=re.M))
SECTIONS = {"A": 12, "B": 18, "C": 18, "D": 35}
PAGES = [HOUSE / "README.md", *sorted(DOCS.glob("*.md"))]


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


@pytest.mark.parametrize("page", [*PAGES, HOUSE / "CHANGELOG.md"], ids=lambda page: page.name)
def test_every_link_between_pages_leads_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", text):
        led_to = (page.parent / target).resolve() if target else page
        assert led_to.exists(), target
        assert not anchor or anchor in headings_of(led_to), f"{target}#{anchor}"


# What a page names of ours: files from the top, from `tests/` or from `notifier/`; a test's file also by its
# name alone.
ROOTS = (HOUSE, TESTS, HOUSE / "notifier")
FILE = re.compile(r"(?<![\w./-])(\w[\w./-]*\.py)\b(?:::([\w…]+))?")
DOTTED = re.compile(r"(?<![\w./-])(?:notifier|lambdas|project|tests)(?:\.[A-Za-z_]\w*)+(?![\w/-])")
IMPORTED = re.compile(r"^ *from ((?:notifier|lambdas|project)\b[\w.]*) import ([\w, ]+)", flags=re.M)
TEST_ALONE = re.compile(r"`(test_[\w…]+|…[\w…]+)`")


def is_ours(path):
    first, _, rest = path.partition("/")
    return (rest and any((root / first).is_dir() for root in ROOTS)) or first.startswith("test_")


def find(path):
    """The file that a page means, or None."""
    found = [root / path for root in ROOTS if (root / path).exists()]
    return next(iter(found or TESTS.rglob(path)), None) if is_ours(path) else None


def leads_somewhere(dotted):
    """Whether a dotted path is a module, something in one, or a permission (``notifier.view_event``)."""
    try:
        return resolve_name(dotted) is not None
    except (ImportError, AttributeError):
        return dotted in permissions()


def dotted_in(text):
    """The dotted paths of a text; ``from a import b`` names ``a.b``."""
    imported = [f"{module}.{name}" for module, names in IMPORTED.findall(text) for name in names.split(", ")]
    return DOTTED.findall(text) + imported


@cache
def permissions():
    return {
        f"{meta.app_label}.{codename}"
        for meta in (model._meta for model in apps.get_models())
        for codename in [
            *(f"{action}_{meta.model_name}" for action in meta.default_permissions),
            *(codename for codename, _ in meta.permissions),
        ]
    }


@cache
def all_tests():
    return {name for path in TESTS.rglob("test_*.py") for name in functions_in(path)}


def has_test(names, name):
    """Whether one of ``names`` is ``name``, in which “…” stands for anything."""
    pattern = re.compile(".*".join(map(re.escape, name.split("…"))))
    return any(map(pattern.fullmatch, names))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_path_and_test_that_a_page_names_is_there(page):
    text = page.read_text(encoding="utf-8")
    files = [(path, name) for path, name in FILE.findall(text) if is_ours(path)]
    assert [path for path, _ in files if not find(path)] == []
    assert [name for path, name in files if name and not has_test(functions_in(find(path)), name)] == []
    assert [dotted for dotted in dotted_in(text) if not leads_somewhere(dotted)] == []
    assert [name for name in TEST_ALONE.findall(text) if not has_test(all_tests(), name)] == []


def test_what_the_changelog_says_is_called_now_is_there():
    text = (HOUSE / "CHANGELOG.md").read_text(encoding="utf-8")
    named = dotted_in("\n".join(re.findall(r"^\|.*\|(.*)\|$", text, flags=re.M)).replace("`", "\n"))
    assert "notifier.register_signal" in named
    assert [dotted for dotted in named if not leads_somewhere(dotted)] == []


# What every package may call, and needs no words.
NO_ROW = {"conf", "exceptions", "hooks", "observing"}


def test_the_picture_of_the_packages_is_the_contract_that_lint_holds():
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    contracts = tomllib.loads((HOUSE / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = [each["layers"] for each in contracts if each.get("containers") == ["notifier"]]
    (picture,) = re.findall(r"```mermaid\n(.*?)```", text, flags=re.S)
    assert list(dict.fromkeys(re.findall(r'"(.*?)"', picture))) == layers
    # And each package has its row.
    (table,) = re.findall(r"\| package \|.*?\n\n", text, flags=re.S)
    packages = [
        name
        for row in re.findall(r"^\| (`.*?) \|", table, flags=re.M)
        for name in re.findall(r"`(\w+)`", row)
    ]
    assert packages[:2] == ["project", "lambdas"]
    assert {*packages[2:]} == {name for layer in layers for name in layer.split(" | ")} - NO_ROW
