"""One function in a process of its own, as on Lambda: ``python -m tests.support.worker`` reads a JSON order
from its standard input.

The order: ``{"function": "email", "event": …, "timeout_seconds": 60, "die_before": [pattern, nth], "traced":
false}``. With ``die_before`` the process kills itself, by SIGKILL, before the ``nth`` SQL statement in which
the pattern is found. At the end it prints what came of it as JSON: its peak of memory is that of the process,
or, where it is ``traced``, of what the function holds.
"""

import json
import os
import re
import signal
import sys
import tracemalloc
from importlib import import_module

from tests.support.memory import peak_kilobytes


def main():
    order = json.load(sys.stdin)
    handler = import_module(f"lambdas.{order['function']}").handler

    from django.db import connection

    from notifier.local.invocation import Context
    from tests.support import patient_product

    patient_product.lengthen()
    statements = Statements(order.get("die_before"))
    context = Context(
        function_name=order["function"], aws_request_id="1", timeout_seconds=order["timeout_seconds"]
    )
    if order["traced"]:
        tracemalloc.start()
    with connection.execute_wrapper(statements):
        answer = handler(order["event"], context)
    peak = tracemalloc.get_traced_memory()[1] // 1024 if order["traced"] else peak_kilobytes()
    json.dump({"answer": answer, "statements": statements.count, "peak_kilobytes": peak}, sys.stdout)


class Statements:
    """Counts SQL statements, and ends the process before the one that it was told."""

    def __init__(self, die_before):
        self.count = 0
        self._pattern, self._countdown = die_before or (None, 0)

    def __call__(self, execute, sql, params, many, context):
        self.count += 1
        if self._pattern and re.search(self._pattern, sql):
            self._countdown -= 1
            if self._countdown == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, params, many, context)


if __name__ == "__main__":
    main()
