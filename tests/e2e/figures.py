"""Sizes, seconds of deploy and update, and cold starts, measured in one run: ``make figures``."""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import boto3
import django

RUNS = 10
BARE = "bare"


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    from tests.e2e import toys
    from tests.e2e.deployer import Deployer
    from tests.e2e.function_url import event_of_request
    from tests.e2e.service import LambdaService
    from tests.e2e.test_deploy import FUNCTIONS, STACK, put_secrets

    with LambdaService() as service, tempfile.TemporaryDirectory() as folder:
        put_secrets()
        deployer = Deployer(Path(folder), service.url)
        service.start()
        deployed = seconds_of(lambda: say(lines_with("package:", deployer.zappa("deploy", "--all"))))
        updated = seconds_of(lambda: deployer.zappa("update", "--all"))
        service.stop()
        say([f"deploy --all {deployed:.0f} s, update --all {updated:.0f} s, for {len(FUNCTIONS)} functions"])
        toys.deploy(BARE, "def handler(event, context):\n    return None\n")
        url = boto3.client("lambda").get_function_url_config(FunctionName=STACK)["FunctionUrl"]
        events = {STACK: event_of_request(url, "GET", "/admin/login/")}
        # In turns, so that what else the machine does meets all of them.
        measured = {name: [] for name in (BARE, *FUNCTIONS)}
        for _ in range(RUNS):
            for name, seconds in measured.items():
                seconds.append(service.cold_start(name, events.get(name, {"Records": []})))
        bare = statistics.median(measured[BARE])
        for name, seconds in measured.items():
            median = statistics.median(seconds)
            spread = f"{min(seconds):.2f} to {max(seconds):.2f}"
            say(
                [
                    f"cold start {name:28} {median:5.2f} s, {median / bare:4.1f} x bare "
                    f"(median of {RUNS}, {spread})"
                ]
            )


def seconds_of(act):
    began = time.monotonic()
    act()
    return time.monotonic() - began


def lines_with(part, text):
    return sorted({line.strip() for line in text.splitlines() if part in line})


def say(lines):
    sys.stdout.write("\n".join([*lines, ""]))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
