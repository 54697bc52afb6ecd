"""The rules of style sheets that hide, and whether they hide an element. Called by ``visible_html``.

Read are tags, classes and names (`#top`), alone, together, and one inside another; of a rule with anything
else (`:hover`, `[attribute]`, `a + b`) nobody knows here to what it applies, and it applies to nothing.
Rules for some screens or for paper do not count.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

# Steps of all comparisons of one HTML; a sheet that would need more hides no more.
MAX_STEPS = 500_000

COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
PIECE = re.compile(r"([^{};]*+)([{};]|\Z)")
COMPOUND = re.compile(r"(?:[A-Za-z][\w-]*|\*)?(?:[.#][\w-]+)*")
SIMPLE = re.compile(r"([.#]?)([\w-]+)")
EVERY_SCREEN = re.compile(r"@media\s+(?:only\s+)?(?:all|screen)\s*(?:,.*)?", re.IGNORECASE | re.DOTALL)
NOTHING = re.compile(r"[+-]?0*(?:\.0*)?(?:[a-z]+|%)?")
FONT_SIZE = re.compile(r"(?:^|\s)0(?:\.0+)?(?:[a-z]+|%)?\s*(?:/|\s)")
RELATIVE = re.compile(r"(?:[\d.]+(?:em|%)|smaller|larger|inherit|unset)")

PROPERTIES = frozenset(
    (
        "display",
        "visibility",
        "opacity",
        "font-size",
        "font",
        "max-height",
        "height",
        "width",
        "max-width",
        "overflow",
    )
)

# Properties of which an element has what is around it, where it says nothing.
INHERITED = ("visibility", "font-size")


class Compound(NamedTuple):
    """What one element must be: ``div.note#top``. ``is_parent``: of the very next one, by `>`."""

    tag: str
    classes: frozenset[str]
    ids: frozenset[str]
    is_parent: bool = False


class Element(Protocol):
    """The part of an element that selectors look at."""

    @property
    def name(self) -> str: ...
    @property
    def classes(self) -> frozenset[str]: ...
    @property
    def id(self) -> str: ...


# By property, its value and its weight: what is important, then the more exact, then the later.
Weight = tuple[bool, tuple[int, int, int, int], int]
Declared = dict[str, tuple[Weight, str]]


@dataclass(slots=True)
class Rule:
    compounds: tuple[Compound, ...]  # the element's own first, then those around it
    declarations: list[tuple[str, str, bool]]
    number: int

    @property
    def exactness(self) -> tuple[int, int, int, int]:
        ids = sum(len(each.ids) for each in self.compounds)
        classes = sum(len(each.classes) for each in self.compounds)
        return 0, ids, classes, sum(each.tag not in ("", "*") for each in self.compounds)


@dataclass
class Sheet:
    """The rules that count, by what their element must at least be: a name, a class, a tag or anything."""

    rules: dict[str, list[Rule]] = field(default_factory=dict)
    steps: int = 0

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Sheet":
        sheet, number = cls(), 0
        for selectors, body in _blocks(COMMENT.sub(" ", "\n".join(texts))):
            declarations = declarations_of(body)
            for selector in selectors.split(",") if declarations else ():
                if compounds := _compounds(selector):
                    number += 1
                    rule = Rule(compounds, declarations, number)
                    sheet.rules.setdefault(_key(compounds[0]), []).append(rule)
        return sheet

    @property
    def can_hide(self) -> bool:
        """Whether any rule hides what it applies to."""
        values = [
            {name: value for name, value, _ in rule.declarations}
            for each in self.rules.values()
            for rule in each
        ]
        return any(
            hides(each) or not all(shows_text(each, inherited=True, name=name) for name in INHERITED)
            for each in values
        )

    def declared(self, element: Element, around: Sequence[Element], style: str) -> Mapping[str, str]:
        """What the sheet and its own ``style`` say of an element inside others: property → value."""
        if not self.rules and not style:
            return {}
        found: Declared = {}
        keys = [f"#{element.id}", *(f".{each}" for each in element.classes), element.name, "*"]
        for rule in (rule for key in keys for rule in self.rules.get(key, ())):
            if self._applies(rule.compounds, element, around):
                _declare(found, rule.declarations, rule.exactness, rule.number)
        _declare(found, declarations_of(style), (1, 0, 0, 0), 0)
        return {name: value for name, (_weight, value) in found.items()}

    def _applies(self, compounds: Sequence[Compound], element: Element, around: Sequence[Element]) -> bool:
        self.steps += 1
        if self.steps > MAX_STEPS or not _is(element, compounds[0]):
            return False
        place = len(around) - 1
        for compound in compounds[1:]:
            while place >= 0 and not _is(around[place], compound):
                self.steps += 1
                if compound.is_parent:
                    return False
                place -= 1
            if place < 0:
                return False
            place -= 1
        return True


def hides(declared: Mapping[str, str]) -> bool:
    """Whether an element with these values is not shown, with all that is in it."""
    if declared.get("display") == "none" or _is_nothing(declared.get("opacity", "")):
        return True
    room = (declared.get(name, "") for name in ("max-height", "height", "width", "max-width"))
    return "hidden" in declared.get("overflow", "") and any(map(_is_nothing, room))


def shows_text(declared: Mapping[str, str], *, inherited: bool, name: str) -> bool:
    """Whether text in it is shown as far as ``name`` (``visibility`` or ``font-size``) says; else as around
    it.
    """
    value = declared.get(name, "")
    if name == "visibility":
        return (
            inherited if not value or value in ("inherit", "unset") else value not in ("hidden", "collapse")
        )
    if FONT_SIZE.search(declared.get("font", "")) and not value:
        return False
    if not value or (RELATIVE.fullmatch(value) and not _is_nothing(value)):
        return inherited or bool(declared.get("font"))
    return not _is_nothing(value)


def declarations_of(style: str) -> list[tuple[str, str, bool]]:
    """``(property, value, whether it is important)`` of those that can hide."""
    found = []
    for declaration in COMMENT.sub(" ", style).lower().split(";"):
        name, _colon, value = declaration.partition(":")
        if (name := name.strip()) in PROPERTIES:
            plain = value.replace("!important", "").strip()
            found.append((name, plain, plain != value.strip()))
    return found


def _declare(
    found: Declared,
    declarations: list[tuple[str, str, bool]],
    exactness: tuple[int, int, int, int],
    number: int,
) -> None:
    for name, value, is_important in declarations:
        weight = (is_important, exactness, number)
        if name not in found or found[name][0] <= weight:
            found[name] = weight, value


def _is_nothing(value: str) -> bool:
    return (
        bool(value) and value[-1] != "." and any(map(str.isdigit, value)) and bool(NOTHING.fullmatch(value))
    )


def _is(element: Element, compound: Compound) -> bool:
    return (
        compound.tag in ("", "*", element.name)
        and compound.classes <= element.classes
        and compound.ids <= {element.id}
    )


def _key(compound: Compound) -> str:
    if compound.ids:
        return f"#{min(compound.ids)}"
    return f".{min(compound.classes)}" if compound.classes else compound.tag or "*"


def _compounds(selector: str) -> tuple[Compound, ...]:
    """The compounds of a selector from its end on; none where it holds anything else."""
    found, is_parent = [], False
    for word in reversed(selector.replace(">", " > ").split()):
        if word == ">":
            is_parent = True
        elif COMPOUND.fullmatch(word):
            parts = SIMPLE.findall(word)
            tag = next((name.lower() for sign, name in parts if not sign), "")
            classes = frozenset(name for sign, name in parts if sign == ".")
            found.append(
                Compound(tag, classes, frozenset(name for sign, name in parts if sign == "#"), is_parent)
            )
            is_parent = False
        else:
            return ()
    return tuple(found)


def _blocks(text: str) -> Iterable[tuple[str, str]]:
    """``(selectors, declarations)`` of each rule that counts on every screen."""
    around: list[str] = []
    body: list[str] = []
    for words, sign in PIECE.findall(text):
        if sign == "{":
            around.append(words.strip())
            body = []
        elif sign == "}":
            selectors = around.pop() if around else ""
            if selectors and not selectors.startswith("@") and all(map(EVERY_SCREEN.fullmatch, around)):
                yield selectors, ";".join([*body, words])
            body = []
        else:
            body.append(words)
