"""The changes that an import would make, as a person reads them. Called by ``manage.py rules diff``."""

import difflib

from .current import read_rules
from .schema import SECTIONS, content_key, subscription_order
from .writing import as_document, write_document


def unified_diff(rules, source):
    """The lines from the database's rules to ``rules``: + is what an import would bring.

    Empty where they are the same.
    """
    texts = [write_document(as_document(each)).split("\n") for each in (read_rules(), _ordered(rules))]
    return list(difflib.unified_diff(*texts, "database", source, lineterm="", n=4))


def _ordered(rules):
    """A person's file in the order of an export's: an order that means nothing is no difference."""
    rules = {section: dict(rules.get(section, {})) for section in SECTIONS}
    for name, row in rules["templates"].items():
        rules["templates"][name] = row | {"contents": sorted(row["contents"], key=content_key)}
    for name, row in rules["triggers"].items():
        rules["triggers"][name] = row | {
            "subscriptions": sorted(row["subscriptions"], key=subscription_order)
        }
    return rules
