"""Places in a file, and what is wrong there. ``exceptions.RulesFileRefused`` lists it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..exceptions import RulesFileRefused

# The keys and positions that lead to a thing from the top of its document.
Path = tuple[str | int, ...]

# A file of rules is five deep.
MAX_DEPTH = 12


@dataclass(frozen=True, kw_only=True)
class FileProblem:
    """One thing that is wrong; ``line`` counts from 1, or is None."""

    path: Path
    text: str
    line: int | None = None

    def __str__(self) -> str:
        where = " › ".join(str(step + 1) if isinstance(step, int) else step for step in self.path)
        return ": ".join(filter(None, [f"line {self.line}" if self.line else "", where, self.text]))


@dataclass
class Places:
    """The line of each path of a document."""

    lines: dict[Path, int] = field(default_factory=dict)

    def line_of(self, path: Iterable[str | int]) -> int | None:
        """The line of ``path``, or of what it stands in."""
        path = tuple(path)
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)

    def problem(self, path: Iterable[str | int], text: str) -> FileProblem:
        return FileProblem(path=tuple(path), line=self.line_of(path), text=str(text))


def refusal(line: int | None, text: str) -> RulesFileRefused:
    """The RulesFileRefused of a file that cannot be read on; ``line`` counts from 0, or is None."""
    return RulesFileRefused([FileProblem(path=(), line=None if line is None else line + 1, text=text)])
