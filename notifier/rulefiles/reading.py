"""Reads a file's text as plain data, with the line of each thing in it.

YAML's own traps are left out: no tags, no anchors, and of plain words only ``true``, ``false``, ``null`` and
whole numbers mean something else than themselves, so that ``language: no`` is Norwegian.
"""

import json
import re

import yaml

from ..exceptions import RulesFileRefused
from .json_places import JsonReader
from .places import MAX_DEPTH, FileProblem, Places, refusal

MAX_BYTES = 4 * 1024 * 1024
MAX_NODES = 200_000


class _Reader(
    yaml.reader.Reader,
    yaml.scanner.Scanner,
    yaml.parser.Parser,
    yaml.composer.Composer,
    yaml.resolver.BaseResolver,
):
    """PyYAML's steps up to nodes: nothing is constructed, so that no tag can name a class."""

    def __init__(self, text):
        yaml.reader.Reader.__init__(self, text)
        yaml.scanner.Scanner.__init__(self)
        yaml.parser.Parser.__init__(self)
        yaml.composer.Composer.__init__(self)
        yaml.resolver.BaseResolver.__init__(self)
        self.depth = self.count = 0

    def compose_node(self, parent, index):
        event = self.peek_event()
        if getattr(event, "anchor", None):
            raise refusal(event.start_mark.line, "Anchors and aliases (& and *) are not read. Write it out.")
        self.depth += 1
        self.count += 1
        if self.depth > MAX_DEPTH:
            raise refusal(event.start_mark.line, f"This is nested more than {MAX_DEPTH} deep.")
        if self.count > MAX_NODES:
            raise refusal(event.start_mark.line, f"The file has more than {MAX_NODES:,} entries.")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


_Reader.add_implicit_resolver("bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Reader.add_implicit_resolver("null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""])
_Reader.add_implicit_resolver("int", re.compile(r"^(?:0|-?[1-9][0-9]{0,17})$"), list("-0123456789"))
SCALARS = {
    "bool": lambda text: text == "true",
    "null": lambda text: None,
    "int": int,
    "tag:yaml.org,2002:str": str,
}
CONTAINERS = {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}


def read_document(text, file_format="yaml"):
    """``(data, Places)`` of a file's text. Raises RulesFileRefused where it cannot be read at all."""
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise refusal(None, f"The file is longer than {MAX_BYTES // 1024 // 1024} MB, which rules never are.")
    places, problems = Places(), []
    read = {"yaml": _read_yaml, "json": _read_json}[file_format]
    data = read(text.removeprefix("\ufeff"), places, problems)
    if problems:
        raise RulesFileRefused(problems)
    return data, places


def _read_yaml(text, places, problems):
    try:
        reader = _Reader(text)
        node = reader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(filter(None, [error.context, error.problem]))
        raise refusal(mark and mark.line, f"This is not YAML: {what}.") from error
    except yaml.YAMLError as error:
        raise refusal(None, f"This is not YAML: {' '.join(str(error).split())}.") from error
    return None if node is None else _plain(node, (), places, problems)


def _plain(node, path, places, problems):
    places.lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        if node.tag not in SCALARS:
            problems.append(
                FileProblem(
                    path=path,
                    line=node.start_mark.line + 1,
                    text=f"The tag {node.tag} is not read. Leave it out.",
                )
            )
            return ""
        return SCALARS[node.tag](node.value)
    if node.tag not in CONTAINERS:
        problems.append(
            FileProblem(
                path=path,
                line=node.start_mark.line + 1,
                text=f"The tag {node.tag} is not read. Leave it out.",
            )
        )
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, number), places, problems) for number, item in enumerate(node.value)]
    found = {}
    for key_node, value in node.value:
        key, line = str(getattr(key_node, "value", "")), key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            problems.append(FileProblem(path=path, line=line, text="A key is a plain text."))
        elif key in found:
            first = places.lines[(*path, key)]
            problems.append(
                FileProblem(
                    path=(*path, key), line=line, text=f"This is here twice; the first is on line {first}."
                )
            )
        else:
            found[key] = _plain(value, (*path, key), places, problems)
            places.lines[(*path, key)] = line
    return found


def _read_json(text, places, problems):
    reader = JsonReader(text, places, problems)
    try:
        return reader.read()
    except json.JSONDecodeError as error:
        raise refusal(error.lineno - 1, f"This is not JSON: {error.msg}.") from error
    except ValueError as error:
        raise refusal(None, "There is a number in it that is too long.") from error
