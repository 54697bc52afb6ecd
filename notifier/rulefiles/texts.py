"""The text of a rules file, read and written. Apart from the rest of the package, which every process imports
for rules in code: the library for YAML is for whoever has a file.
"""

from .checking import check_document
from .current import read_rules
from .importing import import_rules
from .reading import read_document
from .writing import as_document, write_document

__all__ = ["as_document", "export_text", "import_text", "read_document", "write_document"]


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
