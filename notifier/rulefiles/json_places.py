"""Reads JSON with the line of each thing in it, which Python's own reader does not tell. Called by
``reading``.
"""

import json
import re

from .places import MAX_DEPTH, FileProblem, refusal


class JsonReader:
    """Containers by hand, for their lines and for keys that are there twice; the rest by Python's own
    decoder.
    """

    BLANK = re.compile(r"[ \t\r\n]*")

    def __init__(self, text, places, problems):
        self.text, self.places, self.problems = text, places, problems
        self.decoder, self.at = json.JSONDecoder(), 0
        self._counted, self._line = 0, 1

    def read(self):
        found = self._value(())
        if self._peek():
            raise json.JSONDecodeError("Something comes after its end", self.text, self.at)
        return found

    def _peek(self):
        self.at = self.BLANK.match(self.text, self.at).end()
        return self.text[self.at : self.at + 1]

    def _line_here(self):
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line

    def _value(self, path):
        char = self._peek()
        self.places.lines[path] = self._line_here()
        if len(path) > MAX_DEPTH:
            raise refusal(self._line - 1, f"This is nested more than {MAX_DEPTH} deep.")
        if char == "{":
            return self._object(path)
        if char == "[":
            return self._list(path)
        value, self.at = self.decoder.raw_decode(self.text, self.at)
        return value

    def _list(self, path):
        found = []
        for number in self._items("]"):
            found.append(self._value((*path, number)))
        return found

    def _object(self, path):
        found = {}
        for _number in self._items("}"):
            if self._peek() != '"':
                raise json.JSONDecodeError("A key in double quotes is expected", self.text, self.at)
            line = self._line_here()
            key, self.at = self.decoder.raw_decode(self.text, self.at)
            if self._peek() != ":":
                raise json.JSONDecodeError("A colon is expected", self.text, self.at)
            self.at += 1
            if key in found:
                first = self.places.lines[(*path, key)]
                text = f"This is here twice; the first is on line {first}."
                self.problems.append(FileProblem(path=(*path, key), line=line, text=text))
            found[key] = self._value((*path, key))
            self.places.lines[(*path, key)] = line
        return found

    def _items(self, end):
        """Count the items up to ``end``, a comma between two; the caller reads each."""
        self.at += 1
        number = 0
        if self._peek() == end:
            self.at += 1
            return
        while True:
            yield number
            number += 1
            char = self._peek()
            if char not in (",", end) or not char:
                raise json.JSONDecodeError(f"A comma or {end} is expected", self.text, self.at)
            self.at += 1
            if char == end:
                return
