"""A mark in the data that builders make, and a look at each log line of the run for it.

Logs hold no data: a line with the mark fails the test in which it was written.
"""

import logging

# An unlikely word; it may stand in any case, as part of an address too.
MARK = "Zyzzyva"
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# Django's own extra, which no formatter of ours writes.
UNWRITTEN = frozenset({"request"})


class Watcher(logging.Handler):
    """Keeps the lines that hold the mark, whatever logger wrote them."""

    def __init__(self):
        super().__init__(logging.NOTSET)
        self.found = []

    def emit(self, record):
        cached = record.exc_text
        line = self.format(record)
        # The other handlers format the trace themselves.
        record.exc_text = cached
        extras = {name: value for name, value in vars(record).items() if name not in STANDARD | UNWRITTEN}
        if MARK.lower() in f"{line} {extras}".lower():
            self.found.append(f"{record.name}: {line}")

    def take(self):
        """The lines since the last time."""
        found, self.found = self.found, []
        return found
