"""The suite sees a log line that holds data, wherever in the line it stands."""

import logging

import pytest

from tests.support.marks import MARK, Watcher

LINES = [
    # how a line may hold the mark
    lambda log: log.error("Could not mail %s", f"{MARK}7@example.com".lower()),
    lambda log: log.warning(MARK),
    lambda log: log.error("It failed", extra={"address": [MARK]}),
    lambda log: log.error("It failed", exc_info=ValueError(MARK)),
]


@pytest.mark.parametrize("write", LINES)
def test_a_line_that_holds_the_mark_is_found(write):
    watcher, log = Watcher(), logging.Logger("notifier.anything")
    log.addHandler(watcher)
    log.error("Event %d has failed", 7)
    assert watcher.take() == []
    write(log)
    assert len(watcher.take()) == 1
    assert watcher.take() == []


def test_the_run_is_watched(log_watcher):
    logging.getLogger("notifier.anything").error("Could not mail %s", MARK)
    assert len(log_watcher.take()) == 1
