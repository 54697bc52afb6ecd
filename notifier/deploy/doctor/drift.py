"""Checks topic, subscriptions, filters, queues, mappings, roles and alarms: they are as the stack declares
them.
"""

from .findings import error

# A plan's way to say that a resource needs a function first; that the function is missing is a finding of its
# own.
WAITS_FOR_FUNCTION = "wait"
ACTIONS = {"create": "is missing", "delete": "should not be there"}


def check_drift(context):
    """One finding a resource that ``stack apply`` would touch."""
    # Not at the top: on Lambda there is no stack to look at.
    from notifier.deploy.stack import Stack, plan

    for change in plan(Stack.of(context.deployment), session=context.session):
        if change.action == WAITS_FOR_FUNCTION:
            continue
        how = ACTIONS.get(change.action) or f"was changed ({', '.join(change.differences)})"
        yield error(f"{change.resource} {how}.", f"python manage.py stack apply {context.stage}")
