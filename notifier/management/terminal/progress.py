"""Progress on one line of a terminal's standard error; nothing where nobody looks."""


class Progress:
    """``progress(done, total)`` as often as one likes. Call ``end`` when it is over."""

    def __init__(self, stream, what):
        self.stream, self.what, self.shown = stream, what, None
        self.is_seen = bool(getattr(stream, "isatty", lambda: False)())

    def __call__(self, done, total):
        percent = 100 * done // total if total else 100
        if self.is_seen and percent != self.shown:
            self.shown = percent
            self._write(f"\r{self.what}: {done} of {total}")

    def end(self):
        if self.shown is not None:
            self._write("\r\x1b[K")

    def _write(self, text):
        # Django writes to standard error in the red of errors.
        self.stream.write(text, style_func=str, ending="")
        self.stream.flush()
