"""Keys that sign: none that others know or could guess is taken where others can reach the site."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from environs import ValidationError

from notifier.channels.credentials import cleaned

from .place import LOCAL

# 128 bits, written as hexadecimal digits.
FEWEST_CHARACTERS, FEWEST_DIFFERENT = 32, 8
NEW_KEY = "python -c 'import secrets; print(secrets.token_urlsafe(50))'"
# What `django-admin startproject` writes into a file that goes to a repository, and Django's own check of it:
# https://docs.djangoproject.com/en/5.2/ref/checks/#security
SAMPLE_PREFIX = "django-insecure-"
# The default of this project's settings in earlier versions, which forged links are signed with.
KNOWN = frozenset({"not-secret-and-only-for-this-machine"})


def parse_key(text):
    """A key without what a store adds at its ends."""
    if not (key := cleaned(text)):
        raise ValidationError("it is empty")
    if not LOCAL and (problem := _problem_with(key)):
        raise ValidationError(f"{problem}; make one with {NEW_KEY}")
    return key


def parse_keys(text):
    """The list of keys that stand in a text with commas between them; a list is taken as it is."""
    if not isinstance(text, str):
        return text
    return [parse_key(each) for each in text.split(",") if cleaned(each)]


def machine_key(path):
    """The key of this machine alone, as a default: made once and kept in the file ``path``.

    Where there is none to be had (not a developer's machine, nothing can be written), the variable must be
    set.
    """
    if not LOCAL:
        return ...
    path = Path(path)
    try:
        if not path.exists():
            _make(path)
        return path.read_text(encoding="utf-8")
    except OSError:
        return ...


def _make(path):
    """Whole or not at all: of processes that start together, the first one's key is everybody's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Readable by its owner alone: https://docs.python.org/3/library/tempfile.html#tempfile.mkstemp
    handle, unfinished = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(50))
        with suppress(FileExistsError):
            os.link(unfinished, path)
    finally:
        os.unlink(unfinished)


def _problem_with(key):
    if key in KNOWN or key.startswith(SAMPLE_PREFIX):
        return "it is a sample that everybody knows"
    if len(key) < FEWEST_CHARACTERS or len(set(key)) < FEWEST_DIFFERENT:
        return (
            f"it can be guessed: it takes {FEWEST_CHARACTERS} characters, {FEWEST_DIFFERENT} different ones"
        )
    return ""
