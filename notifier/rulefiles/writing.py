"""Writes rules as a document that reads well in Git, and the document as YAML or JSON."""

import json
import re

import yaml

from .schema import FORMAT_VERSION, HEAD, SECTIONS

FORMATS = ("yaml", "json")
# What a block of YAML cannot hold: control characters, and what its readers take for a line break.
UNWRITABLE = re.compile(
    "[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
# No line is folded: a changed word changes its own line alone.
WIDTH = 1_000_000_000


def as_document(rules):
    """The rules of ``read_rules`` as they are written: defaults left out, empty sections too."""
    document = {"version": FORMAT_VERSION}
    for name, keys in SECTIONS.items():
        if rules.get(name):
            document[name] = {each: _without_defaults(row, keys) for each, row in sorted(rules[name].items())}
    return document


def _without_defaults(row, keys):
    found = {}
    for key in keys:
        value = row[key.name]
        if key.kind == "rows":
            value = [_without_defaults(each, key.rows) for each in value]
        if value != key.empty() or key.required:
            found[key.name] = value
    return found


def write_document(document, file_format="yaml"):
    """The text of a document."""
    if file_format == "json":
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    text = yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH, default_flow_style=False
    )
    # A blank line before each section and each row, as between paragraphs.
    return f"{HEAD}\n{_spaced(text)}"


def _spaced(text):
    found = []
    for line in text.split("\n"):
        # Blocks of text are indented further than the names of rows.
        starts_row = re.match(r"  \S", line) and found[-1].strip().rstrip(":") not in SECTIONS
        if found and (line.strip().rstrip(":") in SECTIONS and not line.startswith(" ") or starts_row):
            found.append("")
        found.append(line)
    return "\n".join(found)


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as they are, names in one line, and no anchors."""

    def ignore_aliases(self, data):
        return True

    def increase_indent(self, flow=False, indentless=False):
        return super().increase_indent(flow, False)

    def analyze_scalar(self, scalar):
        found = super().analyze_scalar(scalar)
        if UNWRITABLE.search(scalar):
            # Only double quotes hold it for sure; PyYAML writes some of it plainly and reads it as a space.
            found.allow_flow_plain = found.allow_block_plain = found.allow_single_quoted = (
                found.allow_block
            ) = False
        elif found.multiline:
            # PyYAML keeps tabs and spaces before a line break out of blocks, which hold them as well as
            # anything.
            found.allow_block = True
        return found


def _represent_text(dumper, text):
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


def _represent_list(dumper, items):
    short = all(isinstance(item, str) and len(item) < 40 for item in items) and sum(map(len, items)) < 80
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=short)


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(list, _represent_list)
