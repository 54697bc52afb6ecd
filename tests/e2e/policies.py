"""Whether a role's policies allow an action on a resource, as IAM evaluates them; of conditions only those
that are used here.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
"""

import json
import re

from moto.core import DEFAULT_ACCOUNT_ID
from moto.iam.models import iam_backends


def policies_of(role_name):
    """The documents of a role, inline and attached; [] when there is no such role."""
    iam = iam_backends[DEFAULT_ACCOUNT_ID]["aws"]
    role = next((role for role in list(iam.roles.values()) if role.name == role_name), None)
    if role is None:
        return []
    attached = [policy.document for policy in role.managed_policies.values()]
    return [_as_data(document) for document in [*role.policies.values(), *attached]]


def allows(policies, action, resource, context=None):
    """An explicit denial wins, and what nothing allows is denied. ``context`` are the call's condition keys.

    Raises NotImplementedError for another condition than those of OPERATORS.
    """
    effects = {
        statement["Effect"]
        for policy in policies
        for statement in _listed(policy["Statement"])
        if _concerns(statement, action, resource, context or {})
    }
    return effects == {"Allow"}


def matches(pattern, text, *, ignore_case=False):
    """Whether ``text`` is what ``pattern`` says, in which * stands for any characters and ? for one."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, re.DOTALL | (re.IGNORECASE if ignore_case else 0)) is not None


def _concerns(statement, action, resource, context):
    acts = _any_matches(statement, "Action", action, ignore_case=True)
    return (
        acts
        and _any_matches(statement, "Resource", resource)
        and _is_met(statement.get("Condition", {}), context)
    )


def _is_met(condition, context):
    """Every operator, and every key of it, must be met, by one of its values; a key that the call does not
    come with meets none of these operators.
    """
    if unknown := condition.keys() - OPERATORS.keys():
        raise NotImplementedError(f"the condition operators {sorted(unknown)}")
    return all(
        key in context and any(OPERATORS[operator](wanted, context[key]) for wanted in _listed(values))
        for operator, keys in condition.items()
        for key, values in keys.items()
    )


def _is_arn_like(pattern, arn):
    """Part by part, of which the sixth is all the rest; no wildcard stands for more than one part."""
    wanted, found = pattern.split(":", 5), arn.split(":", 5)
    return len(wanted) == len(found) == 6 and all(map(matches, wanted, found))


# ArnEquals knows wildcards too, and is another name of ArnLike:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
OPERATORS = {"StringEquals": str.__eq__, "ArnEquals": _is_arn_like, "ArnLike": _is_arn_like}


def _any_matches(statement, element, text, **options):
    if element in statement:
        return any(matches(pattern, text, **options) for pattern in _listed(statement[element]))
    return not any(matches(pattern, text, **options) for pattern in _listed(statement[f"Not{element}"]))


def _listed(value):
    return value if isinstance(value, list) else [value]


def _as_data(document):
    return json.loads(document) if isinstance(document, str) else document
