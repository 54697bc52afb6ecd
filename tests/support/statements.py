"""The statements that a block of code runs."""

import re
from contextlib import contextmanager

from django.db import connections
from django.test.utils import CaptureQueriesContext

_TABLE = re.compile(r'(?:FROM|INTO|UPDATE) "(\w+)"')


@contextmanager
def statements(using="default"):
    """Yield a list that holds, after the block, each statement's first word and its table: ``"INSERT
    notifier_event"``. A savepoint that is sent in the same text is no statement.
    """
    found = []
    with CaptureQueriesContext(connections[using]) as queries:
        yield found
    found += [_describe(query["sql"]) for query in queries]


def _describe(sql):
    sql = sql.removeprefix("SAVEPOINT notifier_insert; ")
    table = _TABLE.search(sql)
    return f"{sql.split()[0]} {table[1]}" if table else sql.split()[0]
