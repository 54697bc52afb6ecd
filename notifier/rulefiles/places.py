"""Where in a file something stands, and what is wrong there.

Next hop: ``exceptions.RulesFileRefused`` lists it.
"""

from dataclasses import dataclass, field

from ..exceptions import RulesFileRefused

# A file of rules is five deep.
MAX_DEPTH = 12


@dataclass(frozen=True, kw_only=True)
class FileProblem:
    """One thing that is wrong.

    ``path`` leads to it from the document's top; ``line`` counts from 1, or is None.
    """

    path: tuple
    text: str
    line: int | None = None

    def __str__(self):
        where = " › ".join(str(step + 1) if isinstance(step, int) else step for step in self.path)
        return ": ".join(filter(None, [f"line {self.line}" if self.line else "", where, self.text]))


@dataclass
class Places:
    """The line of each path of a document."""

    lines: dict = field(default_factory=dict)

    def line_of(self, path):
        """The line of ``path``, or of what it stands in."""
        path = tuple(path)
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)

    def problem(self, path, text):
        return FileProblem(path=tuple(path), line=self.line_of(path), text=str(text))


def refusal(line, text):
    """The RulesFileRefused of a file that cannot be read on; ``line`` counts from 0, or is None."""
    return RulesFileRefused([FileProblem(path=(), line=None if line is None else line + 1, text=text)])
