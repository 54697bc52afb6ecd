"""A kind of resource: it knows what of it should be there, what is there, and how to bring the one to the
other.
"""

from botocore.exceptions import ClientError


class Kind:
    """Base of all kinds.

    A resource is a name and a dict of attributes, in the same form in ``wanted`` and ``found``.
    """

    label = ""
    # Whether it is of use only where functions are deployed.
    needs_functions = True

    def __init__(self, account):
        self.account, self.stack = account, account.stack

    def wanted(self):
        """Name → attributes of what the stack declares."""
        raise NotImplementedError

    def found(self):
        """Name → attributes of what exists, the stack's and perhaps others'. Reads only."""
        raise NotImplementedError

    def needed(self, name):
        """The function without which the resource cannot be made, or None."""
        return None

    def is_ours(self, name):
        """Whether what was found may be deleted."""
        return True

    def create(self, name, attributes):
        raise NotImplementedError

    def change(self, name, attributes):
        """Set ``attributes``, those that differ."""
        raise NotImplementedError

    def delete(self, name):
        """Delete it, which is harmless when it is gone by then."""
        raise NotImplementedError


def unless(codes, call, **arguments):
    """The answer of ``call``, or None when AWS answers with one of the error ``codes``: mostly that there is
    no such thing.
    """
    try:
        return call(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] not in codes:
            raise
        return None


def statement(*, sid, service, action, resource, **conditions):
    """A policy statement that lets an AWS service do one thing."""
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": action,
        "Resource": resource,
        "Condition": conditions,
    }


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}
