"""Settings and database as they look from where they are used, and what follows from them out here.

Calls ``here``.
"""

import json

from botocore.config import Config
from botocore.exceptions import ReadTimeoutError

from . import here
from .findings import error, unchecked, warning

# A cold start in a VPC, and a database that does not answer. Not repeated: each call would hold another
# container.
INVOKING = Config(connect_timeout=3, read_timeout=45, retries={"total_max_attempts": 1})
# The only errors whose text is ours (``notifier.deploy.environment`` raises the second), and so holds no
# secret.
OURS = {"ConfigurationError", "ImproperlyConfigured"}
# A deployment from before there was a doctor.
OLD = {"ModuleNotFoundError", "ImportError", "AttributeError", "Runtime.ImportModuleError"}


def look(context):
    """``(findings, facts)`` of the deployed web function, or of this process where no stage is named."""
    if not context.stage:
        _, findings, facts = here.look()
        return findings, facts
    web = context.deployment.web
    if context.configuration(web) is None:
        return [], {}
    event = {"command": here.COMMAND, "stage": context.stage}
    try:
        answer = context.patient_client("lambda", INVOKING).invoke(
            FunctionName=web.name, Payload=json.dumps(event)
        )
    except ReadTimeoutError:
        return [
            error(f"{web.name} does not answer within {INVOKING.read_timeout} s.", f"zappa tail {web.stage}")
        ], {}
    payload = json.loads(answer["Payload"].read() or "null")
    if "FunctionError" in answer:
        return [_failure(web, payload or {})], {}
    _, findings, facts = here.parse(payload)
    return findings, facts


def check_rules(context, facts):
    """An enabled rule that sends by a channel nobody serves."""
    served = {function.module for function in context.functions}
    for channel in facts.get("channels") or []:
        if context.stage and channel not in served:
            yield error(
                f"Rules in the admin send by {channel}, which has no function in "
                f"{context.stage}: those notifications stay.",
                f"Add the stage {context.stage}_{channel} and deploy it, or take {channel} out of the rules.",
            )


def check_room(context, facts):
    """Check that the database could serve every container that the queues' functions may start at once."""
    connections = facts.get("connections")
    if not connections or not context.stage:
        return
    at_once = sum(map(lambda function: _most_at_once(context, function), context.functions))
    if at_once >= connections["most"]:
        yield warning(
            f"The functions may open {at_once} connections at once; the database takes "
            f"{connections['most']}, and the website needs some.",
            "Set a lower MAXIMUM_CONCURRENCY in the channels' files, put RDS Proxy before the "
            "database, or raise max_connections.",
        )


def _most_at_once(context, function):
    """MaximumConcurrency of the function's mappings, where it is known; 0 where there is no mapping."""
    return sum(
        mapping.get("ScalingConfig", {}).get("MaximumConcurrency", 0)
        for mapping in context.mappings(function)
    )


def _failure(function, payload):
    kind, remedy = payload.get("errorType", "an error"), f"zappa tail {function.stage}"
    if kind in OLD:
        return unchecked(
            f"settings and database of {function.name}: it was deployed without the doctor.",
            f"zappa update {function.stage}",
        )
    if kind in OURS:
        return error(f"{function.name} cannot start: {payload.get('errorMessage')}", remedy)
    return error(f"{function.name} fails when it is called ({kind}).", remedy)
