"""``make bench``: what a save costs its caller and how fast deliveries go, as ratios to something in the same
run.

The machine is shared and noisy, so each figure is the best of several rounds that alternate with what they
are compared to.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from notifier.local.postgres import find_programs, temporary_cluster


def main():
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    from notifier.local.cloud import LocalCloud

    if "--child" in sys.argv:
        from . import measures, paging

        sys.stdout.write(json.dumps(paging.compare() if "--pages" in sys.argv else measures.measure()))
        return
    with LocalCloud() as cloud:
        with tempfile.TemporaryDirectory() as folder:
            print_figures("SQLite", _child(cloud, f"sqlite:///{folder}/bench.sqlite3"))
        programs = find_programs()
        if programs is None:
            sys.stdout.write("\nPostgreSQL: SKIPPED, its programs are not on this machine.\n")
            return
        with temporary_cluster(programs) as url:
            print_figures("PostgreSQL, with fsync off: the disk is not what is measured", _child(cloud, url))
        with temporary_cluster(programs) as url:
            print_pages(_child(cloud, url, "--pages"))


def _child(cloud, url, *options):
    ours = {"DATABASE_URL": url, "NOTIFIER_TOPIC_ARN": cloud.topic_arn, "LOG_LEVEL": "ERROR"}
    command = [sys.executable, "-m", "tests.bench", "--child", *options]
    return json.loads(
        subprocess.run(
            command, env=os.environ | ours, check=True, stdout=subprocess.PIPE, cwd=Path.cwd()
        ).stdout
    )


def print_figures(database, seconds):
    us = {name: value * 1e6 for name, value in seconds.items()}
    lines = [
        f"\n{database}",
        f"  a plain save                      {us['plain']:8.0f} µs",
        f"  a bare sns.publish                {us['publish']:8.0f} µs   "
        f"{us['publish'] / us['plain']:5.1f} × a plain save",
        f"  a bare sns.publish_batch of one   {us['publish_batch']:8.0f} µs   "
        f"{us['publish_batch'] / us['publish']:5.2f} × a bare publish",
        f"  a matched save                    {us['matched']:8.0f} µs   "
        f"{us['matched'] / us['plain']:5.1f} × a plain save,"
        f" {us['matched'] / us['publish']:.2f} × a bare publish",
        f"  an unmatched save                 {us['unmatched']:8.0f} µs   "
        f"{us['unmatched'] / us['plain']:5.2f} × a plain save",
        f"  fan-out                           {us['fanout_row']:8.0f} µs a row   "
        f"{1e6 / us['fanout_row']:,.0f} rows/s",
        f"  bare Template.render              {us['render']:8.0f} µs   {1e6 / us['render']:,.0f}/s",
        f"  delivered, a call for each        {us['deliver_one']:8.0f} µs   {1e6 / us['deliver_one']:,.0f}/s,"
        f" {us['render'] / us['deliver_one']:.2f} × the bare rendering loop",
        f"  delivered, a call for fifty       {us['deliver_batch']:8.0f} µs   "
        f"{1e6 / us['deliver_batch']:,.0f}/s,"
        f" {us['render'] / us['deliver_batch']:.2f} × the bare rendering loop",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def print_pages(found):
    lines = [
        f"\nPages with a million deliveries, on PostgreSQL  {'queries':>10} {'ms':>7} {'× a thousand':>14}"
    ]
    for name, queries, few, many, is_scanning in found:
        lines.append(
            f"  {name:45} {queries:10} {many * 1e3:7.0f} "
            f"{many / few:14.1f}{'  READS THE WHOLE TABLE' * is_scanning}"
        )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
