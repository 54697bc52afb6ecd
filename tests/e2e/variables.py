"""The environment variables of a function's process: those that were deployed, and those that Lambda adds."""

from notifier.local.cloud import REGION

CALLER = "FUNCTION."


def access_key(function_name):
    """What stands for the temporary credentials of a function's role: with it, a call says whose it is."""
    return CALLER + function_name


def caller_of(key):
    """The function that an access key stands for; None for anyone else's."""
    return key.removeprefix(CALLER) if key.startswith(CALLER) else None


def variables_of(definition, task_root, runtime, runtime_api, log_stream, edges):
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime"""
    return {
        **edges,
        "PYTHONPATH": str(runtime),
        "PYTHONDONTWRITEBYTECODE": "1",  # on Lambda a function's folder is read-only
        **dict(definition.variables),
        "_HANDLER": definition.handler,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_LAMBDA_FUNCTION_NAME": definition.name,
        "AWS_LAMBDA_FUNCTION_VERSION": definition.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(definition.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": definition.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{definition.runtime}",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": access_key(definition.name),
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_SESSION_TOKEN": "local",
        "LAMBDA_TASK_ROOT": str(task_root),
        "LAMBDA_RUNTIME_DIR": str(runtime),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/bin",
        "LD_LIBRARY_PATH": f"{task_root}:{task_root}/lib:/opt/lib",
    }
