"""How many functions run at once: as many as the stack asks for, as far as the account's quota goes.

Called by ``mappings``, the deploy, ``manage.py stack`` and the doctor.
"""

from dataclasses import dataclass

from notifier.deploy.quotas import more_concurrency

from ..stages import WEB
from .kind import unless

# AWS takes no smaller MaximumConcurrency of a queue:
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html#events-sqs-max-concurrency
LEAST = 2
# What is kept free of what nobody has reserved: one for the sweep, and for the website its cap (WEBSITE where
# it has none), but no more than one in so many.
SWEEP, WEBSITE, ONE_IN = 1, 20, 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """Functions at a time: ``quota`` in the account and ``region``, of which ``free`` are reserved by nobody.
    Of these the website keeps ``website``; ``wanted`` is what the routes ask for.
    """

    region: str
    quota: int
    free: int
    website: int
    wanted: dict[str, int]

    @property
    def left(self):
        """What all queues together may take."""
        return max(0, self.free - self.website - SWEEP)

    @property
    def given(self):
        """What each route gets: the largest give way first, and none goes below LEAST."""
        found = dict(self.wanted)
        while found and sum(found.values()) > self.left and max(found.values()) > LEAST:
            found[max(reversed(found), key=found.get)] -= 1
        return found

    def __str__(self):
        """What people should know of it; blank where there is room for all."""
        given = self.given
        most, fits = sum(given.values()), sum(given.values()) <= self.left
        if given == self.wanted and fits:
            return ""
        text = (
            f"The account allows {self.quota} functions at a time in {self.region}, {self.free} of them "
            f"reserved by nobody, and the queues ask for {sum(self.wanted.values())}."
        )
        if given != self.wanted:
            shares = ", ".join(f"{route} {number}" for route, number in given.items())
            text += (
                f" They get fewer, to leave {self.website} to the website and {SWEEP} to the sweep: {shares}."
            )
        if not fits:
            text += (
                f" AWS takes no less than {LEAST} for a queue, so there is room for {self.left // LEAST} of "
                f"these {len(given)}: while {most} are at work, the website answers 429 and the sweep is "
                "late. Until AWS allows more, undeploy channels that nobody uses, and take their stages out."
            )
        return text


def room_of(account):
    """The Room of the account's stack. Asks Lambda for the quota, and for what the website has reserved.

    https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html
    """
    limit, functions = account.concurrency, account.stack.functions
    served = {function.module for function in functions}
    free = limit["UnreservedConcurrentExecutions"]
    return Room(
        region=account.region,
        quota=limit["ConcurrentExecutions"],
        free=free,
        website=sum(_share(account, each, free) for each in functions if each.module == WEB),
        wanted={
            route: settings.maximum_concurrency
            for route, settings in account.stack.routes.items()
            if route in served
        },
    )


def _share(account, web, free):
    """What the website needs of the ``free`` ones: nothing where it has some of its own."""
    asked = account.client("lambda").get_function_concurrency
    found = unless(("ResourceNotFoundException",), asked, FunctionName=web.name) or {}
    if found.get("ReservedConcurrentExecutions"):
        return 0
    return min(web.config.get("lambda_concurrency") or WEBSITE, free // ONE_IN)


def advice_on(account):
    """What a person should know of the account's quota, with the command that asks for more; None where
    there is room.
    """
    if text := str(room_of(account)):
        return f"{text} Ask for more, then deploy again: {more_concurrency(account.region)}"
    return None
