"""Log lines as JSON objects for CloudWatch, with the ids of what is worked on and nothing about anybody."""

import os
from traceback import format_tb

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from notifier.log_secrets import hide_all
from notifier.observing import causes_of, log_keys, words_of

# What Django and Python put on a record besides: a request shows its query, a note may hold anything.
UNWANTED = frozenset({"request", "exception_notes", "taskName", "server_time"})

# What a logger and Lambda say of themselves.
PLAIN = frozenset(
    {"level", "location", "timestamp", "service", "name", "function_name", "function_request_id"}
)


class JsonFormatter(LambdaPowertoolsFormatter):
    """Powertools' format with ``log_keys()``.

    What a library writes of addresses and of what opens something is hidden, also in the words of an error.
    """

    def __init__(self):
        service = os.environ.get("POWERTOOLS_SERVICE_NAME")
        super().__init__(
            utc=True, use_rfc3339=True, serialize_stacktrace=False, service=service, name="%(name)s"
        )

    def serialize(self, log):
        """The line."""
        wanted = {key: value for key, value in {**log_keys(), **log}.items() if key not in UNWANTED}
        first = {key: wanted.pop(key) for key in ("level", "message") if key in wanted}
        line = {key: value if key in PLAIN else hide_all(value) for key, value in (first | wanted).items()}
        return super().serialize(line)

    def formatException(self, exc_info):
        """The traceback, oldest cause last; of each error its type, and its first line if that is about
        machines or code.
        """
        return "\nafter:\n".join(
            "".join(format_tb(error.__traceback__)) + _describe(error) for error in causes_of(exc_info[1])
        )


def _describe(error):
    words = words_of(error)
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
