"""Checks that the secrets that the functions read at their start are in SSM, and encrypted. Their values are
not asked for.
"""

from .findings import error, warning

# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html
MOST_AT_ONCE = 10


def check_parameters(context):
    """Every name that a stage lists under its secrets is a SecureString below the deployment's path."""
    users, stack = {}, context.deployment.stack_name
    for function in context.functions:
        for name in function.secrets:
            users.setdefault(name, []).append(function.name)
    found = _find(context, users, decrypt=False)
    for name, functions in users.items():
        if name not in found:
            yield error(
                f"The secret {path_of(stack, name)} is not in SSM; these do not start without "
                f"it: {', '.join(functions)}.",
                put(stack, name),
            )
        elif found[name]["Type"] != "SecureString":
            # The type of a parameter that is there cannot be changed:
            # https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
            remedy = f"aws ssm delete-parameter --name {path_of(stack, name)} && {put(stack, name)}"
            yield warning(f"The secret {path_of(stack, name)} lies in SSM unencrypted.", remedy)


def path_of(stack, name):
    return f"/{stack}/{name}"


def put(stack, name):
    """The command that stores the secret ``name`` of ``stack``."""
    return f"aws ssm put-parameter --type SecureString --overwrite --name {path_of(stack, name)} --value=…"


def read(context, names):
    """``{name: value}`` of those secrets that are there, decrypted. Never to be printed."""
    return {name: parameter["Value"] for name, parameter in _find(context, names, decrypt=True).items()}


def _find(context, names, *, decrypt):
    names, ssm, found, stack = sorted(names), context.client("ssm"), {}, context.deployment.stack_name
    for start in range(0, len(names), MOST_AT_ONCE):
        paths = [path_of(stack, name) for name in names[start : start + MOST_AT_ONCE]]
        for parameter in ssm.get_parameters(Names=paths, WithDecryption=decrypt)["Parameters"]:
            found[parameter["Name"].rpartition("/")[2]] = parameter
    return found
