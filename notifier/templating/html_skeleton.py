"""An HTML template's source as marks for its tokens, to carry them through a conversion. Called by
``plaintext``.
"""

import re
from dataclasses import dataclass
from itertools import product

from .lexing import split_tags

OPEN, CLOSE = "\ue000", "\ue001"  # private-use characters: no markup, no blanks, in no language
MARK = re.compile(f"{OPEN}([vb])([0-9]+){CLOSE}")
VALUE = re.compile(f"{OPEN}v[0-9]+{CLOSE}")
BLOCK = f"{OPEN}b[0-9]+{CLOSE}"

MAX_CONDITIONS = 24
INLINE_TAGS = {"cycle", "firstof", "now", "templatetag", "widthratio"}
BLOCK_TAGS = {"if", "elif", "else", "endif", "for", "empty", "endfor", "with", "endwith"}
PARAGRAPHS = re.compile(r"\|\s*linebreaks(br)?\s*$")
# These write markup, or undo what HTML does with a value; in text they would show.
NOT_IN_TEXT = re.compile(r"\|\s*(escape|force_escape|linebreaks\w*|truncate\w+_html)\b")
MARKUP = re.compile("""(["'])[^"'<&]*+[<&][^"']*+\\1""")

LINES_OF_BLOCKS = re.compile(rf"(?<!\n)(\n*+)((?:^[ \t]*(?:{BLOCK}[ \t]*)+(?:\n+|\Z))+)", re.MULTILINE)
BLOCKS_AMID_BLANKS = re.compile(rf"(?:(?<=\s)|^)({BLOCK}(?: *{BLOCK})*) +(?=\S)", re.MULTILINE)


@dataclass
class Skeleton:
    """``marked`` is the source with a mark for each token; ``tokens`` are the tokens by mark, each once."""

    marked: str
    tokens: list[str]

    @classmethod
    def of(cls, source):
        """None where a token has no counterpart in text, or too many conditions would have to be tried."""
        numbers, pieces = {}, []
        for index, piece in enumerate(split_tags(source)):
            if index % 2 == 0:
                pieces.append(piece)
            elif not piece.startswith("{#"):
                kind = _kind(piece)
                if not kind:
                    return None
                number = numbers.setdefault(piece, len(numbers))
                pieces.append(f"{OPEN}{kind}{number}{CLOSE}")
        tokens = list(numbers)
        conditions = sum(token[2:-2].split()[:1] in (["if"], ["elif"]) for token in tokens)
        return cls("".join(pieces), tokens) if OPEN not in source and conditions <= MAX_CONDITIONS else None

    def settle(self, text):
        """Converted text in which tags that stood alone, or amid blanks, leave no blanks of their own."""
        text = BLOCKS_AMID_BLANKS.sub(lambda match: match[1].replace(" ", ""), text)
        return LINES_OF_BLOCKS.sub(_without_lines, text)

    def with_tokens(self, marked):
        """The text template: the tokens back in their places."""
        return MARK.sub(lambda match: _in_text(self.tokens[int(match[2])]), marked)

    def with_stand_ins(self, marked, *, text=False):
        """A template of the same shape over made-up names: v0 for a value, c1 for a condition, l2 for a
        list.
        """

        def stand_in(match):
            token, number = self.tokens[int(match[2])], match[2]
            word = token[2:-2].split()[0]
            if match[1] == "v":
                paragraphs = "|linebreaks" if PARAGRAPHS.search(token[2:-2]) else ""
                value = f"{{{{ v{number}{paragraphs} }}}}"
                return _in_text(value) if text else value
            return {
                "if": f"{{% if c{number} %}}",
                "elif": f"{{% elif c{number} %}}",
                "for": f"{{% for item in l{number} %}}",
                "with": "{% with a=1 %}",
            }.get(word, token)

        return MARK.sub(stand_in, marked)

    def samples(self):
        """Data for the stand-ins: each condition met and not met, lists of 0 to 2 items, values of
        one line and of several, each of a length of its own, which a table would show."""
        numbers = range(len(self.tokens))
        conditions = [n for n in numbers if self.tokens[n][2:-2].split()[0] in ("if", "elif")]
        met = (
            [set(), set(conditions)] + [{n} for n in conditions] + [set(conditions) - {n} for n in conditions]
        )
        for chosen, length, value in product(
            met, (0, 1, 2), ("Tom & <Ann> &lt; ", "one\ntwo  three\n\nfour ")
        ):
            yield (
                {f"c{n}": n in chosen for n in conditions}
                | {f"l{n}": ["item"] * length for n in numbers}
                | {f"v{n}": value + "x" * (3 * n + 1) for n in numbers}
            )


def _without_lines(match):
    """Tags without lines of their own, and after them the space that the text around them keeps when they are
    gone.
    """
    before, after = len(match[1]), max(map(len, re.findall(r"\n*", match[2])))
    return match[1] + re.sub(r"\s", "", match[2]) + "\n" * (after - before if before else 0)


def _kind(token):
    """``v`` for a token that shows a value, ``b`` for one that does not, None for one that text cannot
    have.
    """
    content = token[2:-2].strip()
    word = content.split()[0] if content else ""
    if not word or MARKUP.search(content) or NOT_IN_TEXT.search(PARAGRAPHS.sub("", content)):
        return None
    if token.startswith("{{") or (word in INLINE_TAGS and " as " not in content):
        return "v"
    return "b" if word in BLOCK_TAGS else None


def _in_text(token):
    """The token as the text template has it: values on one line, as HTML shows them, paragraphs on
    several.
    """
    if not token.startswith("{{"):
        return token
    content = token[2:-2].strip()
    content = PARAGRAPHS.sub("|lines", content) if PARAGRAPHS.search(content) else f"{content}|oneline"
    return f"{{{{ {content} }}}}"
