"""Checks a document's shape: keys, types, doubles. Every row is filled in."""

from ..channels.storable import is_storable
from ..exceptions import RulesFileRefused
from .places import Places
from .schema import FORMAT_VERSION, HINTS, LANES, SECTIONS, content_key, normal_text


def check_document(document, places=None):
    """The document's sections with every key of every row. Raises RulesFileRefused with all that is wrong."""
    check = _Check(places or Places())
    found = check.document(document)
    if check.problems:
        raise RulesFileRefused(check.problems)
    return found


class _Check:
    def __init__(self, places):
        self.places, self.problems = places, []

    def refuse(self, path, text):
        self.problems.append(self.places.problem(path, text))

    def document(self, document):
        if not isinstance(document, dict):
            self.refuse(
                (), "A file of rules has the keys version, categories, audiences, templates and triggers."
            )
            return {}
        if (version := document.get("version")) != FORMAT_VERSION or isinstance(version, bool):
            said = "is missing" if version is None else f"is {version!r}"
            self.refuse(
                ("version",),
                f"The version of the format {said}; this release reads version: {FORMAT_VERSION}.",
            )
        for name in document:
            if name not in ("version", *SECTIONS):
                self.unknown((), name, ["version", *SECTIONS])
        return {name: self.section(name, keys, document.get(name)) for name, keys in SECTIONS.items()}

    def unknown(self, path, name, known):
        hint = HINTS.get(name) or f"There is: {', '.join(known)}."
        self.refuse((*path, name), f"There is no “{name}” here. {hint}")

    def section(self, name, keys, rows):
        if rows is None:
            return {}
        if not isinstance(rows, dict):
            self.refuse((name,), "Write the rows as name: …, one below the other.")
            return {}
        return {
            self.text((name,), None, each): self.row((name, each), keys, row) for each, row in rows.items()
        }

    def row(self, path, keys, row):
        row = {} if row is None else row
        if not isinstance(row, dict):
            self.refuse(path, f"Write its keys below it: {', '.join(key.name for key in keys)}.")
            return {key.name: key.empty() for key in keys}
        known = {key.name: key for key in keys}
        for name in row:
            if name not in known:
                self.unknown(path, name, list(known))
        found = {name: self.value((*path, name), key, row.get(name)) for name, key in known.items()}
        for name, key in known.items():
            if key.required and row.get(name) in (None, "", []):
                self.refuse(path if name not in row else (*path, name), f"“{name}” is missing.")
        return found

    def value(self, path, key, value):
        if value is None:
            return key.empty()
        return getattr(self, key.kind)(path, key, value)

    def text(self, path, _key, value):
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str):
            word = ' Write it in quotes: "true".' if isinstance(value, bool) else ""
            self.refuse(path, f"This is a text.{word}")
            return ""
        if not is_storable(value):
            self.refuse(path, "There is a character in it that no text can hold.")
            return ""
        return normal_text(value)

    def flag(self, path, key, value):
        if not isinstance(value, bool):
            self.refuse(path, "This is true or false.")
            return key.default
        return value

    def lane(self, path, key, value):
        if not isinstance(value, str) or value not in LANES:
            self.refuse(path, f"This is one of {', '.join(LANES)}.")
            return key.default
        return value

    def number(self, path, key, value):
        if isinstance(value, bool) or not isinstance(value, int) or value < key.least:
            self.refuse(path, f"This is a whole number, {key.least} or more.")
            return key.default
        return value

    def names(self, path, key, value):
        if not isinstance(value, list):
            self.refuse(path, "This is a list: [one, another], or one a line after a dash.")
            return []
        found = [self.text((*path, number), key, each) for number, each in enumerate(value)]
        for number, each in enumerate(found):
            if not each.strip():
                self.refuse((*path, number), "This one is empty.")
            elif each in found[:number]:
                self.refuse((*path, number), f"“{each}” is here twice.")
        return found

    def set(self, path, key, value):
        return sorted(self.names(path, key, value))

    def lines(self, path, key, value):
        found = [each.strip() for each in self.names(path, key, value)]
        for number, each in enumerate(found):
            if "\n" in each:
                self.refuse((*path, number), "This is one line. Write each after a dash of its own.")
        return found

    def rows(self, path, key, value):
        if not isinstance(value, list):
            self.refuse(path, "This is a list: each after a dash.")
            return []
        found = [self.row((*path, number), key.rows, row) for number, row in enumerate(value)]
        if key.name == "contents":
            keys = [content_key(row) for row in found]
            for number, each in enumerate(keys):
                if each[0] and each in keys[:number]:
                    self.refuse(
                        (*path, number), f"There are two contents for {' in '.join(filter(None, each))}."
                    )
        return found
