"""Rules as a file that people review and promote: ``schema`` says what it holds. Calls ``models`` and
``rules``.

The way in: text → ``reading`` (places) → ``checking`` (shape) → ``importing`` (rows). The way out: rows →
``current`` → ``writing``.
"""

from .applying import Change
from .checking import check_document
from .current import read_rules, unwritten_people
from .importing import import_rules

__all__ = [
    "Change",
    "as_document",
    "check_document",
    "export_text",
    "import_rules",
    "import_text",
    "read_document",
    "read_rules",
    "unwritten_people",
    "write_document",
]


# The three functions below import PyYAML, which only a project with files of rules has to have: what code
# declares is read by each process as it starts.


def read_document(text, file_format="yaml"):
    """See ``reading``."""
    from .reading import read_document

    return read_document(text, file_format)


def as_document(rules):
    """See ``writing``."""
    from .writing import as_document

    return as_document(rules)


def write_document(document, file_format="yaml"):
    """See ``writing``."""
    from .writing import write_document

    return write_document(document, file_format)


def export_text(file_format="yaml"):
    """The text of a file with all rules of the database."""
    return write_document(as_document(read_rules()), file_format)


def import_text(text, *, file_format="yaml", source="", **options):
    """Bring the database's rules to what ``text`` says; returns the Changes.

    See ``import_rules`` for the options.

    Raises RulesFileRefused with everything that is wrong; nothing is saved then.
    """
    document, places = read_document(text, file_format)
    return import_rules(check_document(document, places), places=places, source=source, **options)
