"""Django's lexer in time that grows with the source: its own expression looks from each "{{" to the end of
the line where nothing closes it. Called by ``compiler``, ``blocks`` and ``html_skeleton``.
"""

import re

from django.template.base import Lexer, Token

OPENING = re.compile(r"\{[%{#]")
CLOSINGS = {"{%": "%}", "{{": "}}", "{#": "#}"}


class LinearLexer(Lexer):
    """As Django's."""

    def tokenize(self) -> list[Token]:
        is_tag, line, tokens = False, 1, []
        for piece in split_tags(self.template_string):
            if piece:
                tokens.append(self.create_token(piece, None, line, is_tag))
                line += piece.count("\n")
            is_tag = not is_tag
        return tokens


def split_tags(source: str) -> list[str]:
    """Text, tag, text, …, text: what ``django.template.base.tag_re.split`` gives."""
    pieces, begin, at = [], 0, 0
    # By what closes a tag, up to where it is known that there is none.
    nothing_before = dict.fromkeys(CLOSINGS.values(), 0)
    while found := OPENING.search(source, at):
        start, closing = found.start(), CLOSINGS[found[0]]
        at = start + 1
        if start < nothing_before[closing]:
            continue
        line_end = source.find("\n", start)
        line_end = len(source) if line_end < 0 else line_end
        end = source.find(closing, start + 2, line_end)
        if end < 0:
            nothing_before[closing] = line_end
            continue
        at = end + 2
        pieces += [source[begin:start], source[start:at]]
        begin = at
    return [*pieces, source[begin:]]
