"""What Lambda refuses and moto takes: each check raises Refused with Lambda's own code."""

import base64
import io
import json
import re
import zipfile

from moto.core import DEFAULT_ACCOUNT_ID
from moto.iam.models import iam_backends
from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

from notifier.local.cloud import REGION

from .definitions import find_function, lambda_backend, plain_name
from .denials import Refused
from .policies import allows, policies_of

INVALID, CONFLICT = "InvalidParameterValueException", "ResourceConflictException"
# Unpacked, and all variables together:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MOST_UNPACKED_BYTES = 262_144_000
MOST_VARIABLE_BYTES = 4096
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
RESERVED_VARIABLES = {
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
}
# https://docs.aws.amazon.com/lambda/latest/api/API_Environment.html
VARIABLE_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+")
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
MAPPING_ACTIONS = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
# https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
MOST_WITHOUT_WINDOW = 10


def check_role(asked):
    """The role exists and Lambda may take it on."""
    roles = iam_backends[DEFAULT_ACCOUNT_ID]["aws"].roles
    role = next((role for role in list(roles.values()) if role.arn == asked.get("Role")), None)
    if "Role" in asked and (
        role is None or "lambda.amazonaws.com" not in str(role.assume_role_policy_document)
    ):
        raise role_refused()


def role_refused():
    """Also while IAM has not spread a role."""
    return Refused(400, INVALID, "The role defined for the function cannot be assumed by Lambda.")


def check_variables(asked):
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""
    variables = asked.get("Environment", {}).get("Variables", {})
    if reserved := sorted(RESERVED_VARIABLES & variables.keys()):
        raise Refused(400, INVALID, f"Reserved keys used in this request: {', '.join(reserved)}")
    if wrong := sorted(name for name in variables if not VARIABLE_NAME.fullmatch(name)):
        raise Refused(
            400, "ValidationException", f"These are no names of environment variables: {', '.join(wrong)}"
        )
    if len(json.dumps(variables, separators=(",", ":")).encode()) > MOST_VARIABLE_BYTES:
        text = f"Your environment variables exceeded the {MOST_VARIABLE_BYTES // 1024}KB limit."
        raise Refused(400, INVALID, text)


def check_code(asked):
    """The package is a zip that fits unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(_package(asked.get("Code", asked)))) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile:
        raise Refused(
            400, INVALID, "Could not unzip uploaded file. Please check your file, then try to upload again."
        ) from None
    if unpacked > MOST_UNPACKED_BYTES:
        raise Refused(400, INVALID, f"Unzipped size must be smaller than {MOST_UNPACKED_BYTES} bytes")


def _package(code):
    if "ZipFile" in code:
        return base64.b64decode(code["ZipFile"])
    bucket = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets.get(code.get("S3Bucket"))
    key = bucket and bucket.keys.get(code.get("S3Key"))
    if not key:
        raise Refused(400, INVALID, "Error occurred while GetObject. S3 Error Code: NoSuchKey.")
    return key.value


def check_statement(asked):
    """https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html"""
    statements = find_function(asked["FunctionName"]).policy.statements
    if any(statement["Sid"] == asked["StatementId"] for statement in statements):
        text = f"The statement id ({asked['StatementId']}) provided already exists."
        raise Refused(
            409, CONFLICT, f"{text} Please provide a new statement id, or remove the existing statement."
        )


def check_no_url(asked):
    """https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunctionUrlConfig.html"""
    function = find_function(asked["FunctionName"])
    if function.url_config:
        raise Refused(
            409, CONFLICT, f"FunctionUrlConfig exists for this Lambda function: {function.function_arn}"
        )


def check_mapping(asked):
    """https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html"""
    function, source = find_function(asked["FunctionName"]), asked.get("EventSourceArn")
    queues = sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues
    queue = next((queue for queue in list(queues.values()) if queue.queue_arn == source), None)
    if queue is None:
        raise Refused(
            400, INVALID, f"Error occurred while ReceiveMessage. The queue {source} does not exist."
        )
    if any(
        each.event_source_arn == source and each.function_arn == function.function_arn for each in mappings()
    ):
        raise Refused(
            409,
            CONFLICT,
            f"An event source mapping with {source} and {function.function_name} already exists.",
        )
    if asked.get("BatchSize", 1) > MOST_WITHOUT_WINDOW and not asked.get("MaximumBatchingWindowInSeconds"):
        raise Refused(
            400,
            INVALID,
            "Maximum batch window must be greater than 0 if maximum batch size is greater than 10",
        )
    visible, timeout = int(queue.visibility_timeout), int(function.timeout)
    if visible < timeout:
        text = f"Queue visibility timeout: {visible} seconds is less than Function timeout: {timeout} seconds"
        raise Refused(400, INVALID, text)
    policies = policies_of(function.role.rpartition("/")[2])
    for action in MAPPING_ACTIONS:
        if not allows(policies, f"sqs:{action}", source):
            text = f"The provided execution role does not have permissions to call {action} on SQS"
            raise Refused(400, INVALID, text)


def mappings(function_name=None):
    """moto's event source mappings, of one function or all."""
    found = list(lambda_backend()._event_source_mappings.values())
    return [
        each for each in found if function_name is None or plain_name(each.function_arn)[0] == function_name
    ]


CHECKS = {
    "CreateFunction": (check_role, check_variables, check_code),
    "UpdateFunctionConfiguration": (check_role, check_variables),
    "UpdateFunctionCode": (check_code,),
    "AddPermission": (check_statement,),
    "CreateFunctionUrlConfig": (check_no_url,),
    "CreateEventSourceMapping": (check_mapping,),
}
