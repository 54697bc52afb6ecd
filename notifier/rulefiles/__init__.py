"""Rules as a file that people review and promote: ``schema`` says what it holds. Calls ``models`` and
``rules``.

The way in: text → ``reading`` (places) → ``checking`` (shape) → ``importing`` (rows). The way out: rows →
``current`` → ``writing``. Whoever has a text calls ``texts``; rules in code, ``declared``, have none.
"""

from .applying import Change
from .checking import check_document
from .current import read_rules, unwritten_people
from .importing import import_rules

__all__ = ["Change", "check_document", "import_rules", "read_rules", "unwritten_people"]
