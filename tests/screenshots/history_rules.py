"""A rule that code declares, one about requests, and what each rule has sent, for the pictures."""

from notifier import notify_on
from notifier.models import HourlyCount, RuleCount, Subscription, Template, Trigger
from notifier.rulefiles import declared
from project.demo.models import Movie

# The rule that sent what was counted on a channel.
BY_CHANNEL = {"email": "Flash sale created", "sms": "Flash sale created", "twitter": "Post created"}


def set_up():
    """Declare a rule as code would, and add one that is off."""
    notify_on(
        "post_save", key="new_film", saved="created", channels=["inbox"], audience={"everyone": True},
        contents={"inbox": {"subject": "New: {{ instance.title }}", "text": "On from tonight."}},
    )(Movie)  # fmt: skip
    declared.keep_declared()
    Trigger.objects.create(name="Each failed request", verb="got_request_exception", enabled=False)


def count_by_rule():
    """What was counted by channel, by the rules that have sent it."""
    rules = {
        (each.trigger.name, channel): each
        for each in Subscription.objects.select_related("trigger")
        for channel in each.channels
    }
    rows = []
    for each in HourlyCount.objects.all():
        if rule := rules.get((BY_CHANNEL.get(each.channel), each.channel)):
            rows.append(
                RuleCount(
                    hour=each.hour,
                    trigger_id=rule.trigger_id,
                    subscription_id=rule.pk,
                    channel=each.channel,
                    status=each.status,
                    number=each.number,
                )  # fmt: skip
            )
    RuleCount.objects.bulk_create(rows, batch_size=1_000)


def keys():
    return {
        "in_code": Trigger.objects.get(name="new_film").pk,
        "template_in_code": Template.objects.get(name="new_film").pk,
        "about_requests": Trigger.objects.get(name="Each failed request").pk,
    }
