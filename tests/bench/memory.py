"""The memory of one fan-out: ``python -m tests.bench.memory EVENT`` does it in a process of its own, and
prints the peak in kilobytes.
"""

import os
import subprocess
import sys


def peak_of(event):
    """The kilobytes that the fan-out of this key takes at most, with all that a function holds."""
    from tests.support.functions import database_url

    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "project.settings", "DATABASE_URL": database_url(), "LOG_LEVEL": "ERROR",
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.bench.memory", str(event)]
    return int(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout)


def main(event):
    import django

    django.setup()
    from notifier.queue.ring import Ring
    from tests.support.functions import invoke
    from tests.support.memory import peak_kilobytes
    from tests.support.wire import Wire

    with Wire() as wire:
        # What is published is no part of the function.
        wire.loses = True
        assert invoke("fanout", Ring(route="fanout", ids=(event,)).body()) == []
    sys.stdout.write(str(peak_kilobytes()))


if __name__ == "__main__":
    main(int(sys.argv[1]))
