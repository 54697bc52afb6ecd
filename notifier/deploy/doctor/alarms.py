"""Checks that somebody is told of alarms."""

from notifier.queue.subscribers import PENDING, on_duty_topic

from .findings import warning


def check_told(context):
    """SNS sends nothing to an address before the link in its own mail is opened, which is good for two days.

    https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
    """
    # Not at the top: on Lambda there is no stack to look at.
    from notifier.deploy.stack import Stack
    from notifier.deploy.stack.account import Account
    from notifier.deploy.stack.resources.on_duty import subscriptions

    stack, stage = Stack.of(context.deployment), context.stage
    account, sns = Account(stack, context.session), context.client("sns")
    topics = [account.arn("sns", on_duty_topic(stack.name)), *stack.alert_topics]
    asked = [each for topic in topics for each in subscriptions(sns, topic)]
    if waiting := [each["Endpoint"] for each in asked if each["SubscriptionArn"] == PENDING]:
        yield warning(
            f"{len(waiting)} of those who should be told of alarms have not opened the link in the mail of "
            "SNS: they are told nothing.",
            "Open the link in the mail “AWS Notification - Subscription Confirmation”. After two days it is "
            f"void: then zappa update {stage} sends another to ALERT_EMAIL. To try it: "
            f"python manage.py stack test-alarm {stage}",
        )
    if not asked:
        yield warning(
            f"Nobody is told of the alarms of {stack.name}.",
            f'Set "ALERT_EMAIL" in aws_environment_variables of {stage} in {context.settings_file}, then: '
            f"zappa update {stage}   Or add an address in the admin, under Those on duty.",
        )
