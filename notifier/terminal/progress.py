"""How far something is, on one line of a terminal; nothing where nobody looks. Next hop: standard error."""


class Progress:
    """``progress(done, total)`` as often as one likes. Call ``end`` when it is over."""

    def __init__(self, stream, what):
        self.stream, self.what, self.shown = stream, what, None
        self.is_seen = bool(getattr(stream, "isatty", lambda: False)())

    def __call__(self, done, total):
        percent = 100 * done // total if total else 100
        if self.is_seen and percent != self.shown:
            self.shown = percent
            self.stream.write(f"\r{self.what}: {done} of {total}", ending="")
            self.stream.flush()

    def end(self):
        if self.shown is not None:
            self.stream.write("\r\x1b[K", ending="")
