"""Blocks: reads ``{% extends %}`` and ``{% block %}`` off a source, and puts several sources together.

Called by ``layouts``. It works on the source, not on nodes: a version holds the whole text of its message,
and needs no layout when it is rendered.
"""

import re
from dataclasses import dataclass, field

from django.template.base import TokenType

from ..exceptions import TemplateRefused
from .compiler import MAX_NESTING, MAX_WHOLE_BYTES
from .lexing import LinearLexer, split_tags

# Blocks and supers put into their places; a chain of layouts that repeats them would multiply without writing
# anything.
MAX_PLACES = 2_000
HAS_BLOCKS = re.compile(r"{%\s*(block|extends)\b")
NAMED = re.compile(r"extends\s+(\"[^\"]+\"|'[^']+')")
SUPER = object()


@dataclass
class Block:
    name: str
    line: int
    pieces: list = field(default_factory=list)


@dataclass
class Outline:
    """One source as text, blocks and supers. ``extends`` is the name of its layout, or blank."""

    extends: str = ""
    pieces: list = field(default_factory=list)
    blocks: dict = field(default_factory=dict)
    # Of the first thing that would not be shown, as it stands in no block.
    stray: int = 0


def read_outline(source):
    """The Outline of a source that compiles.

    Raises TemplateRefused with the line of what is wrong with its blocks.
    """
    outline, open_blocks, commented, begun = Outline(), [], False, False
    texts = (text for text in split_tags(source) if text)
    for text, token in zip(texts, LinearLexer(source).tokenize(), strict=True):
        words = token.contents.split() if token.token_type == TokenType.BLOCK else [""]
        pieces = open_blocks[-1].pieces if open_blocks else outline.pieces
        if commented or words[0] == "comment":
            commented = words[0] != "endcomment"
        elif words[0] == "extends":
            outline.extends = _extended_name(token, begun)
        elif words[0] == "block":
            block = _new_block(token, words, outline, open_blocks)
            pieces.append(block)
            open_blocks.append(block)
        elif words[0] == "endblock":
            _close(token, words, open_blocks)
        elif token.token_type == TokenType.VAR and token.contents == "block.super" and open_blocks:
            pieces.append(SUPER)
        elif token.token_type != TokenType.COMMENT:
            pieces.append(text)
            if not open_blocks and text.strip():
                outline.stray = outline.stray or token.lineno + text[: len(text) - len(text.lstrip())].count(
                    "\n"
                )
        begun = begun or token.token_type in (TokenType.BLOCK, TokenType.VAR)
    if outline.extends and outline.stray:
        raise TemplateRefused(
            f"Line {outline.stray}: this stands in no block and would not be shown. Put it between "
            f"{{% block … %}} and {{% endblock %}}, with the name of a block of “{outline.extends}”.",
            line=outline.stray,
        )
    return outline


def _refuse(token, text):
    raise TemplateRefused(f"Line {token.lineno}: {text}", line=token.lineno)


def _extended_name(token, begun):
    named = NAMED.fullmatch(token.contents)
    if named is None:
        _refuse(token, 'Write the name of the layout in quotes: {% extends "newsletter" %}.')
    if begun:
        _refuse(token, "“extends” must be the first tag, and stand there once.")
    return named[1][1:-1]


def _new_block(token, words, outline, open_blocks):
    if len(words) != 2 or not words[1].isidentifier():
        _refuse(token, "Give the block a name of one word: {% block content %}.")
    if words[1] in outline.blocks:
        _refuse(token, f"There are two blocks with the name “{words[1]}”.")
    if len(open_blocks) >= MAX_NESTING:
        _refuse(token, f"Blocks are nested more than {MAX_NESTING} deep.")
    block = outline.blocks[words[1]] = Block(words[1], token.lineno)
    return block


def _close(token, words, open_blocks):
    # That there is one to close, the compilation has seen.
    block = open_blocks.pop()
    if words[1:] not in ([], [block.name]):
        _refuse(token, f"This closes the block “{' '.join(words[1:])}”, but the open one is “{block.name}”.")


def put_together(outlines):
    """The whole source of a template, its layout, that one's layout, and so on.

    Raises TemplateRefused where it has no end.
    """
    return _Builder(outlines).build()


class _Builder:
    def __init__(self, outlines):
        self.outlines, self.text, self.places, self.characters = outlines, [], 0, 0
        self.definitions = {}
        for outline in outlines:
            for name, block in outline.blocks.items():
                self.definitions.setdefault(name, []).append(block)

    def build(self):
        self._check_names()
        self._write(self.outlines[-1].pieces, (), 0)
        return "".join(self.text)

    def _check_names(self):
        child, *others = self.outlines
        offered = {name for outline in others for name in outline.blocks}
        for piece in child.pieces if others else ():
            if isinstance(piece, Block) and piece.name not in offered:
                raise TemplateRefused(
                    f"Line {piece.line}: “{child.extends}” has no block “{piece.name}”. "
                    f"It has: {', '.join(sorted(offered)) or 'none'}.",
                    line=piece.line,
                )

    def _write(self, pieces, around, level):
        for piece in pieces:
            if isinstance(piece, str):
                self._write_text(piece)
                continue
            self.places += 1
            if self.places > MAX_PLACES:
                raise TemplateRefused(f"With its layouts it has more than {MAX_PLACES:,} blocks.")
            if piece is SUPER:
                above = self.definitions[around[-1]][level + 1 :]
                if above:
                    self._write(above[0].pieces, around, level + 1)
            elif piece.name in around:
                raise TemplateRefused(
                    f"With its layouts, the block “{piece.name}” would stand inside itself."
                )
            else:
                self._write(self.definitions[piece.name][0].pieces, (*around, piece.name), 0)

    def _write_text(self, text):
        self.characters += len(text)
        if self.characters > MAX_WHOLE_BYTES:
            raise TemplateRefused(f"With its layouts it is longer than {MAX_WHOLE_BYTES:,} bytes.")
        self.text.append(text)
