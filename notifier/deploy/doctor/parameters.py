"""Checks that the secrets that the functions read at their start are in SSM, and encrypted. Their values are
not asked for.
"""

from notifier.channels.credentials import cleaned

from .findings import error, warning

# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html
MOST_AT_ONCE = 10
# Django's key, and the earlier ones that it still believes.
KEY, FALLBACKS = "SECRET_KEY", "SECRET_KEY_FALLBACKS"


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
    yield from _check_changed_key(context, found.get(KEY))


def _check_changed_key(context, parameter):
    """A key that was replaced, without the old one: nothing that it has signed is believed any more."""
    if not parameter or parameter["Version"] == 1 or FALLBACKS in context.deployment.web.secrets:
        return
    stack, stage = context.deployment.stack_name, context.stage
    yield warning(
        f"The secret {path_of(stack, KEY)} was changed on {parameter['LastModifiedDate']:%d %B %Y}, and the "
        "website does not know the old one: links in earlier mails, and sessions, have ended.",
        f"aws ssm get-parameter-history --with-decryption --name {path_of(stack, KEY)} tells the old one ; "
        f"{put(stack, FALLBACKS)} ; name {FALLBACKS} in SECRETS of the stage {stage} ; zappa update {stage}",
    )


def path_of(stack, name):
    return f"/{stack}/{name}"


def put(stack, name):
    """The command that stores the secret ``name`` of ``stack``."""
    return f"aws ssm put-parameter --type SecureString --overwrite --name {path_of(stack, name)} --value=…"


def read(context, names):
    """``{name: value}`` of those secrets that are there, decrypted, as functions read them. Never to be
    printed.
    """
    found = _find(context, names, decrypt=True)
    return {name: cleaned(parameter["Value"]) for name, parameter in found.items()}


def _find(context, names, *, decrypt):
    names, ssm, found, stack = sorted(names), context.client("ssm"), {}, context.deployment.stack_name
    for start in range(0, len(names), MOST_AT_ONCE):
        paths = [path_of(stack, name) for name in names[start : start + MOST_AT_ONCE]]
        for parameter in ssm.get_parameters(Names=paths, WithDecryption=decrypt)["Parameters"]:
            found[parameter["Name"].rpartition("/")[2]] = parameter
    return found
