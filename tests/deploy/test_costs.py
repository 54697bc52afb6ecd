"""The page's costs are what its prices and the stack give."""

from pathlib import Path

from notifier.channels.registry import channel_names
from notifier.deploy.stack import Stack
from notifier.deploy.stack.resources.alarms import Alarms
from notifier.deploy.stack.stages import read_deployment
from tests.bench import month

PAGE = Path(__file__).parents[2] / "docs" / "deploy.md"


def test_the_table_of_the_page_is_what_the_prices_give():
    assert month.table() in PAGE.read_text()


def test_it_counts_the_alarms_and_the_queues_of_the_repositorys_own_settings():
    deployed = Stack.of(read_deployment("production"))

    class Account:
        stack = deployed

    assert len(Alarms(Account()).wanted()) == month.ALARMS
    assert len(deployed.routes) == month.QUEUES == len(channel_names()) + 2
