"""Who a delivery goes to has one form, and one file that knows it."""

import ast
import re
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest

from notifier.channels.recipient import ADDRESS_PREFIX, USER_PREFIX, Recipient, user_keys
from notifier.models import Delivery

HOUSE = Path(__file__).parents[2]
HOME = HOUSE / "notifier/channels/recipient.py"
FILES = [
    path
    for package in ("notifier", "lambdas", "project")
    for path in sorted((HOUSE / package).rglob("*.py"))
    if path != HOME and "migrations" not in path.parts
]
KEY = UUID("0f3c9c6e-8f5d-4c4f-9b43-1a2b3c4d5e6f")

STORED = [
    # the stored text, the user's key, the address
    ("user:5", "5", ""),
    (f"user:{KEY}", str(KEY), ""),
    ("user:a:b", "a:b", ""),  # a project's own key may be any text
    ("user:user:5", "user:5", ""),
    ("user: ", " ", ""),
    ("user:", "", ""),
    ("address:ada@example.com", "", "ada@example.com"),
    ("address:telegram:42", "", "telegram:42"),
    ("address:https://example.com/A?b=c", "", "https://example.com/A?b=c"),
    ("address:#77", "", "#77"),  # all that is left of one that was removed
    ("address:user:5", "", "user:5"),
    ("address:Ada@Example.com", "", "Ada@Example.com"),  # as it was written down, whatever that was
    ("address:", "", ""),
    # no recipient at all
    ("", "", ""),
    ("user", "", ""),
    ("ada@example.com", "", ""),
    ("User:5", "", ""),
    (" user:5", "", ""),
    ("group:5", "", ""),
]


@pytest.mark.parametrize(("text", "key", "address"), STORED)
def test_a_stored_text_is_read_and_written_again_as_it_was(text, key, address):
    found = Recipient.parse(text)
    assert (str(found), found.user_key, found.address) == (text, key, address)
    assert (found.is_user, found.is_address) == (text.startswith("user:"), text.startswith("address:"))


@pytest.mark.parametrize("key", [5, KEY, "a:b", "user:5", ""])
def test_a_user_is_named_by_the_primary_key(key):
    made = Recipient.of_user(key)
    assert str(made) == f"user:{key}"
    assert made == Recipient.parse(str(made))
    assert made.user_key == str(key)


@pytest.mark.parametrize(
    ("address", "stored"),
    [
        (" Ada@Example.COM\n", "address:ada@example.com"),
        ("+44 (0) 7400-123.456", "address:+447400123456"),
        ("Telegram:42", "address:telegram:42"),
        ("https://Example.com/A", "address:https://example.com/A"),
        ("user:5", "address:user:5"),
        ("", "address:"),
    ],
)
def test_an_address_is_stored_in_its_normal_form(address, stored):
    made = Recipient.of_address(address)
    assert str(made) == stored
    assert made == Recipient.parse(stored)


def test_the_columns_hold_the_longest_address_there_may_be():
    longest = Recipient.of_address("a" * 1000)
    assert len(longest.address) == Delivery._meta.get_field("address").max_length
    assert len(str(longest)) <= Delivery._meta.get_field("recipient").max_length


def test_the_users_among_rows_are_their_keys():
    rows = [SimpleNamespace(recipient=text) for text in ("user:5", "address:user:6", "user:a:b", "")]
    assert user_keys(rows) == ["5", "a:b"]


# The form is known in one file.

# As a text, or within one, as SQL would have it.
WRITTEN_OUT = re.compile(rf"(?:^|['\"])\s*(?:{USER_PREFIX}|{ADDRESS_PREFIX})")


def _docstrings(tree):
    bodies = (
        node.body for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
    )
    return {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}


def written_out(source):
    """The lines of a program that write down how a recipient begins, or take one apart by hand."""
    tree = ast.parse(source)
    explained = _docstrings(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in explained and WRITTEN_OUT.search(text):
                yield node.lineno
            case ast.Call(
                func=ast.Attribute(
                    value=ast.Attribute(attr="recipient") | ast.Name(id="recipient"),
                    attr="partition" | "split" | "removeprefix" | "startswith",
                )
            ):
                yield node.lineno


def test_nobody_else_writes_a_recipient_out_or_takes_one_apart():
    found = [f"{path.relative_to(HOUSE)}:{line}" for path in FILES for line in written_out(path.read_text())]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        'f"user:{pk}"',
        'rows.filter(recipient__startswith="address:")',
        'text.removeprefix("user:")',
        'f"address:{text}:{pk}"',
        'kind, _, key = row.recipient.partition(":")',
        'recipient.split(":")',
        """cursor.execute("SELECT 'user:' || id")""",
    ],
)
def test_what_is_written_out_is_found(line):
    assert list(written_out(line)) != []
