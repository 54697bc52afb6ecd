"""A project without the notifier: ``python -m tests.support.without_notifier`` prints what a deletion
costs it, as JSON.
"""

import json

import django
from django.conf import settings


def delete_notes():
    """Delete a note's pages, and then all notes with theirs. Returns the statements."""
    from tests.app.models import Note, NotePage
    from tests.support.statements import statements

    notes = [Note.objects.create(text=text) for text in "ab"]
    for note in notes:
        NotePage.objects.create(note=note)
    with statements() as found:
        NotePage.objects.filter(note=notes[0]).delete()
        Note.objects.all().delete()
    return found


def main():
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "tests.app"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    )
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    print(json.dumps(delete_notes()))


if __name__ == "__main__":
    main()
