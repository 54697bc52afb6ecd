"""The Lambda functions as they are deployed: there, ready, allowed to run, and as quiet as they should be."""

from notifier.deploy.quotas import more_concurrency

from .findings import error, warning

LOUD = "DEBUG"
# Part of the name that Zappa gives to that rule.
KEEP_WARM = "zappa-keep-warm"


def check_deployed(context, function):
    """There at all, in a state in which it can be called, and with its last update in place."""
    configuration = context.configuration(function)
    if configuration is None:
        yield error(f"The function {function.name} is not deployed.", f"zappa deploy {function.stage}")
        return
    state, update = configuration.get("State", "Active"), configuration.get("LastUpdateStatus", "Successful")
    if update == "Failed":
        reason = configuration.get("LastUpdateStatusReason") or "no reason given"
        yield error(f"The last update of {function.name} failed: {reason}", f"zappa update {function.stage}")
    # Idle for weeks, a function with a VPC goes to sleep (Inactive); the next call wakes it and fails:
    # https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
    if state != "Active":
        reason = configuration.get("StateReason")
        say = error if state == "Failed" else warning
        yield say(
            f"{function.name} is not ready: {state}{f', {reason}' if reason else ''}",
            f"zappa update {function.stage}",
        )


def check_concurrency(context, function):
    """A reserved concurrency of 0 switches a function off; without the website's own, a flood of requests
    takes that of the channels.
    """
    if context.configuration(function) is None:
        return
    reserved = (
        context.client("lambda")
        .get_function_concurrency(FunctionName=function.name)
        .get("ReservedConcurrentExecutions")
    )
    if reserved == 0:
        yield error(
            f"{function.name} is switched off: its reserved concurrency is 0.",
            f"aws lambda delete-function-concurrency --function-name {function.name}",
        )
    elif (wanted := function.config.get("lambda_concurrency")) and reserved != wanted:
        yield warning(
            f"{function.name} may run {reserved or 'any number of'} times at once, and {function.stage} says "
            f"{wanted}: the rest is the channels'.",
            f"zappa update {function.stage}   and where that says that the account has no room: "
            f"{more_concurrency(context.session.region_name)}",
        )


def check_environment(context, function):
    """Switches that are on in the deployed environment, whatever the settings file says by now."""
    variables = context.environment(function)
    if (
        variables.get("LOG_LEVEL", "").upper() == LOUD
        or variables.get("POWERTOOLS_LOG_LEVEL", "").upper() == LOUD
    ):
        yield warning(
            f"{function.name} writes its log at DEBUG, with what requests carry.",
            f'Set "LOG_LEVEL": "INFO" for {function.stage} in {context.settings_file}, then: '
            f"zappa update {function.stage}",
        )
    if variables.get("DEBUG", "").lower() in ("1", "true", "yes", "on"):
        yield warning(
            f"{function.name} was deployed with DEBUG on.",
            f'Take "DEBUG" out of {function.stage} in {context.settings_file}, then: zappa '
            f"update {function.stage}",
        )


def check_kept_warm(context, function):
    """A rule of Zappa's that calls the function every four minutes, left over from a deploy with
    ``keep_warm``.
    """
    configuration = context.configuration(function)
    if configuration is None:
        return
    rules = context.client("events").list_rule_names_by_target(TargetArn=configuration["FunctionArn"])[
        "RuleNames"
    ]
    for rule in rules:
        if KEEP_WARM in rule:
            yield warning(
                f"{function.name} is called every four minutes for nothing: Zappa's keep_warm rule is there.",
                # Neither `zappa update` takes it away, nor `zappa unschedule` it alone.
                f"aws events remove-targets --rule {rule} --ids "
                f"{' '.join(_targets(context, rule))} ; aws events delete-rule --name {rule}",
            )


def _targets(context, rule):
    return [target["Id"] for target in context.client("events").list_targets_by_rule(Rule=rule)["Targets"]]
