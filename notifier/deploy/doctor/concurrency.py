"""Checks that the account lets as many functions run at once as the stack asks for."""

from notifier.deploy.quotas import more_concurrency

from .findings import warning


def check_quota(context):
    """A new account allows 10, which the queues alone could take."""
    # Not at the top: on Lambda there is no stack to look at.
    from notifier.deploy.stack import Stack
    from notifier.deploy.stack.account import Account
    from notifier.deploy.stack.resources.concurrency import room_of

    account = Account(Stack.of(context.deployment), context.session)
    if text := str(room_of(account)):
        yield warning(text, f"{more_concurrency(account.region)}   and then: zappa update --all")
