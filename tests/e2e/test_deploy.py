"""The product as its users meet it: deployed by the real zappa, used through the function URL, updated under
load, taken down.

The tests build on one another, in this order.
"""

import json
import os
import re
import time
from collections import Counter
from threading import Event, Thread
from urllib.request import urlopen
from zipfile import ZipFile

import boto3
import psycopg
import pytest

from notifier.channels.registry import channel_names
from notifier.local import pushes
from notifier.local.chat import ROOMS
from notifier.local.cloud import REGION, SIGNING_KEYS, X_KEYS
from tests.support.patience import ended, wait_until

from .deployer import ADMINISTRATOR, HOUSE, PASSWORD, Deployer
from .permissions import needed_permissions
from .ruling import add_audience, add_user, set_up_rule
from .service import SLOWNESS, LambdaService
from .visitor import Visitor

STACK = "notifier-production"
RUNG_FOR = ["fanout", *channel_names()]
QUEUED = [*RUNG_FOR, "feedback"]
FUNCTIONS = [STACK, *(f"{STACK}-{module}" for module in [*QUEUED, "sweep"])]
SECRETS = {"SECRET_KEY": "never-in-a-log-" * 5, **X_KEYS, **SIGNING_KEYS, "CHAT_ROOMS": json.dumps(ROOMS)}
# A mailbox that does not exist:
# https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html#send-email-simulator
BOUNCING = "bounce@simulator.amazonses.com"
TOKEN = "a-token-of-a-telephone"
PHONE_OF_TOKEN = f"GCM {TOKEN[:8]}…"
ADA, PHONE = "ada.of.the.mark@example.org", "+447400123401"
SALE = {
    "discount_percent": "30",
    "url": "https://shop.example.com/linen",
    "ends_at_0": "2030-01-31",
    "ends_at_1": "22:00:00",
}
ATTRIBUTES = ["RedrivePolicy", "Policy", "VisibilityTimeout"]
# What has no business on Lambda.
FOREIGN = [
    "django/contrib/admin/static/",
    "unfold/static/",
    "moto/",
    "pytest",
    "_pytest/",
    "awslambdaric/",
    "pip/",
    "tests/",
    "docs/",
    "notifier/local/",
    "notifier/deploy/stack/",
    ".git",
]
# How many each sale is mailed to while functions are updated.
PEOPLE = 40
SWEEP_SECONDS = 60
# A queue brings a batch back after six minutes, should a function have ended in its middle.
STANDSTILL_SECONDS = 2 * 6 * 60


@pytest.fixture(scope="module")
def service():
    with LambdaService(enforce_roles=True, slowness=SLOWNESS, slow_roles=1) as service:
        put_secrets()
        service.start()
        yield service


def put_secrets():
    for name, value in {**SECRETS, "DATABASE_URL": os.environ["DATABASE_URL"]}.items():
        boto3.client("ssm").put_parameter(
            Name=f"/{STACK}/{name}", Value=value, Type="SecureString", Overwrite=True
        )


@pytest.fixture(scope="module")
def deployer(service, tmp_path_factory):
    deployer = Deployer(tmp_path_factory.mktemp("project"), service.url)
    deployer.set_variable("production_push", "PUSH_APPLICATIONS", pushes.application_arns(REGION))
    return deployer


@pytest.fixture(scope="module")
def printed(deployer):
    """What ``zappa deploy --all`` printed."""
    return deployer.zappa("deploy", "--all")


@pytest.fixture(scope="module")
def packages(printed, tmp_path_factory):
    """Function → its package, fetched back by the address that Lambda gives."""
    folder = tmp_path_factory.mktemp("packages")
    found = {}
    for name in FUNCTIONS:
        location = boto3.client("lambda").get_function(FunctionName=name)["Code"]["Location"]
        found[name] = folder / f"{name}.zip"
        with urlopen(location) as answer:
            found[name].write_bytes(answer.read())
    return found


@pytest.fixture(scope="module")
def visitor(service, printed):
    """The administrator, signed in."""
    visitor = Visitor(service, STACK)
    assert visitor.sign_in(ADMINISTRATOR, PASSWORD).status == 302
    return visitor


# The deploy


def test_a_canary_has_come_through_every_function(printed):
    for route in RUNG_FOR:
        assert re.search(rf"canary: {route} after [\d.]+ s", printed), printed
    assert "did not arrive" not in printed
    assert "administrator: admin was made" in printed


def test_it_sent_nothing_to_anybody(service, printed):
    assert service.cloud.outbox() == []


def test_packages_are_small_and_without_tools(packages):
    for name, archive in packages.items():
        with ZipFile(archive) as opened:
            names, unpacked = opened.namelist(), sum(entry.file_size for entry in opened.infolist())
        assert archive.stat().st_size <= (30e6 if name == STACK else 25e6), name
        assert unpacked <= 100e6, name
        for foreign in FOREIGN:
            assert not [each for each in names if each.startswith(foreign)], (name, foreign)


def test_no_secret_is_in_a_package_or_in_a_functions_configuration(packages):
    for name, archive in packages.items():
        assert not set(variables_of(name)) & {"DATABASE_URL", *SECRETS}
        with ZipFile(archive) as opened:
            assert b"never-in-a-log" not in b"".join(
                opened.read(each) for each in opened.namelist() if each.startswith("zappa_settings")
            )


def test_a_stage_that_is_deployed_says_so(deployer, printed):
    found = deployer.zappa("status", "--all")
    for name in FUNCTIONS:
        assert name in found


def test_applied_again_nothing_changes(deployer, printed):
    assert "+" not in deployer.manage("stack", "diff", "production")


# As a user would


def test_styles_and_scripts_come_hashed_compressed_and_for_ever(service, printed):
    visitor = Visitor(service, STACK)
    page = visitor.get("/admin/login/")
    assert page.status == 200
    files = re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"', page.text)
    assert any(name.endswith(".css") for name in files)
    assert any(name.endswith(".js") for name in files)
    for name in files:
        answer = visitor.get(name, accept_encoding="gzip")
        assert answer.status == 200, name
        assert re.search(r"\.[0-9a-f]{12}\.(css|js)$", name)
        assert "immutable" in answer.headers["cache-control"]
        assert int(re.search(r"max-age=(\d+)", answer.headers["cache-control"])[1]) >= 365 * 24 * 3600
    assert any(
        visitor.get(name, accept_encoding="gzip").headers.get("content-encoding") == "gzip" for name in files
    )


def test_a_wrong_password_is_refused_and_the_sixth_not_even_looked_at(service, printed):
    stranger = Visitor(service, STACK)
    answers = [stranger.sign_in("mallory", f"guess {number}").status for number in range(6)]
    assert answers[:4] == [200] * 4
    assert answers[-1] == 429


def test_a_flash_sale_set_up_in_the_admin_is_mailed_texted_and_posted(service, visitor):
    user = add_user(visitor, "ada", first_name="Ada", email=ADA)
    visitor.submit("/admin/demo/profile/add/", "profile_form", {"user": user, "phone": PHONE})
    add_audience(visitor, "Everyone", everyone="on")
    add_audience(visitor, "X", addresses="twitter: @shop")
    set_up_rule(visitor, name="Sales", channels=["email", "sms"], audience=1)
    set_up_rule(visitor, name="Posts", channels=["twitter"], audience=2)

    visitor.submit("/admin/demo/flashsale/add/", "flashsale_form", {"title": "Linen", **SALE})

    sent = wait_until(
        lambda: len(service.cloud.outbox()) >= 3 and service.cloud.outbox(), "three messages are sent"
    )
    assert {(message.channel, message.recipient, message.subject, message.text) for message in sent} == {
        ("email", ADA, "Linen", "Linen for Ada"),
        ("sms", PHONE, "", "Linen for Ada"),
        ("twitter", "everyone", "", "Linen"),
    }
    assert len(service.cloud.outbox()) == 3


def test_a_post_that_x_put_off_is_sent_when_the_schedules_sweep_rings_again(service, visitor):
    service.cloud.x.fail_next(429)
    visitor.submit("/admin/demo/flashsale/add/", "flashsale_form", {"title": "Wool", **SALE})

    def posted():
        service.tick_schedules()
        return [post.text for post in service.cloud.x.posts if post.text == "Wool"]

    assert wait_until(posted, "it is posted") == ["Wool"]


def test_news_come_into_chat_inbox_and_telephone_and_a_mail_that_bounces_is_the_last(service, visitor):
    visitor.get("/notifications/")
    registered = visitor.post(
        "/notifications/devices/", {**visitor.token(), "platform": ["fcm"], "token": [TOKEN]}
    )
    assert registered.status == 201, registered.text
    # The administrator, the first user there was, has no mail address.
    add_audience(visitor, "Team", users="1", addresses=f"chat: slack:#shop\nemail: {BOUNCING}")
    set_up_rule(
        visitor, name="News", model="demo.post", channels=["email", "chat", "inbox", "push"], audience=3
    )

    visitor.submit("/admin/demo/post/add/", "post_form", {"title": "Autumn"})

    wait_until(
        lambda: (
            received(service, "Autumn")
            >= {("email", BOUNCING), ("chat", "slack:#shop"), ("push", PHONE_OF_TOKEN)}
        ),
        "mail, chat and push have come",
    )
    wait_until(lambda: "News: Autumn" in visitor.get("/notifications/").text, "it is in the inbox")
    wait_until(
        lambda: BOUNCING in visitor.get("/admin/notifier/suppression/").text, "the address is suppressed"
    )
    visitor.submit("/admin/demo/post/add/", "post_form", {"title": "Winter"})
    others = {("chat", "slack:#shop"), ("push", PHONE_OF_TOKEN)}
    wait_until(lambda: received(service, "Winter") >= others, "chat and push have come")
    assert ("email", BOUNCING) not in received(service, "Winter")


def received(service, subject):
    return {
        (message.channel, message.recipient)
        for message in service.cloud.outbox()
        if message.subject == subject
    }


def test_a_telephone_whose_app_is_gone_loses_its_endpoint(service, visitor):
    sns = boto3.client("sns")
    [application] = [arn for arn in pushes.application_arns(REGION).split(",") if "/GCM/" in arn]

    def endpoints():
        return sns.list_endpoints_by_platform_application(PlatformApplicationArn=application)["Endpoints"]

    sns.set_endpoint_attributes(EndpointArn=endpoints()[0]["EndpointArn"], Attributes={"Enabled": "false"})
    visitor.submit("/admin/demo/post/add/", "post_form", {"title": "Spring"})
    wait_until(lambda: not endpoints(), "the endpoint is gone")


def test_somebody_on_duty_is_subscribed_and_removed_in_the_admin(service, visitor):
    page = "/admin/notifier/onduty/"
    asked = visitor.post(f"{page}subscribe/", {**visitor.token(), "address": ["ops@example.org"]})
    assert asked.status == 302
    text = visitor.get(page).text
    assert "ops@example.org" in text
    assert "route: email" in text, "the queues stand there with their filters"
    key = re.search(r"/onduty/([0-9a-f-]{36})/remove/", text)[1]
    assert visitor.post(f"{page}{key}/remove/", visitor.token()).status == 302
    assert "ops@example.org" not in visitor.get(page).text


def test_nothing_is_imported_but_the_package(service, visitor):
    for name in FUNCTIONS:
        imported = service.imported_files(name)
        assert any("/notifier/" in path for path in imported), name
        assert not [
            path
            for path in imported
            if path.startswith((f"{HOUSE}/", os.environ.get("VIRTUAL_ENV", "/nowhere/") + "/"))
        ], name
        assert not [path for path in imported if "/site-packages/" in path and "awslambdaric" not in path], (
            name
        )


def lines_of(service, name):
    """The log's own lines, and metrics, as data; Lambda's lines around them are none."""
    return [json.loads(line) for line in service.logs(name).splitlines() if line.startswith('{"')]


def test_log_lines_are_data_with_ids_and_without_addresses(service, visitor):
    web, fanout, email = (lines_of(service, name) for name in (STACK, f"{STACK}-fanout", f"{STACK}-email"))
    recorded = [pk for line in web for pk in line.get("event_ids", ())]
    assert recorded, "the request that records an event names it"
    assert [line for line in fanout if set(recorded) & set(line.get("event_ids", ()))] or any(
        "DeliveriesMade" in line for line in fanout
    )
    assert any(line.get("Sent") for line in email if "_aws" in line), "no metrics"
    for name in FUNCTIONS:
        written = service.logs(name)
        for secret in (ADA, PHONE, TOKEN, "Linen for Ada", *SECRETS.values(), *ROOMS.values()):
            assert secret not in written, (name, secret)


# Least privilege


def test_each_function_used_all_that_its_role_allows_and_was_denied_nothing(service, visitor):
    provoke_burials(service)
    assert [call for call in service.calls if call.denied] == []
    for name in FUNCTIONS:
        document = boto3.client("iam").get_role_policy(RoleName=name, PolicyName=only_policy(name))[
            "PolicyDocument"
        ]
        allowed = {action for statement in document["Statement"] for action in as_list(statement["Action"])}
        assert not [action for action in allowed if "*" in action]
        assert used_actions(service, name) == allowed, name


def provoke_burials(service):
    """A message that nobody here wrote, to each queue: the functions put it aside themselves."""
    sqs = boto3.client("sqs")
    for module in QUEUED:
        sqs.send_message(
            QueueUrl=sqs.get_queue_url(QueueName=f"{STACK}-{module}")["QueueUrl"],
            MessageBody="no message of ours",
        )
    for module in QUEUED:
        url = sqs.get_queue_url(QueueName=f"{STACK}-{module}-dlq")["QueueUrl"]
        wait_until(
            lambda url=url: sqs.receive_message(QueueUrl=url, VisibilityTimeout=0).get("Messages"),
            f"{module} puts it aside",
        )
        sqs.purge_queue(QueueUrl=url)


def only_policy(role):
    (name,) = boto3.client("iam").list_role_policies(RoleName=role)["PolicyNames"]
    return name


def as_list(value):
    return value if isinstance(value, list) else [value]


def used_actions(service, name):
    return {each.action for call in service.calls_of(name) for each in needed_permissions(call)}


# Updates


@pytest.fixture(scope="module")
def crowd(visitor):
    """Forty people whose mails and SMS flow while functions are updated."""
    for number in range(PEOPLE):
        add_user(visitor, f"person{number}", email=f"person{number}@example.org")


def test_updates_under_load_lose_nothing_double_nothing_and_leave_everything_around_as_it_was(
    service, deployer, visitor, crowd
):
    # A secret that once stood in the settings file: Zappa alone would keep it for ever.
    leave_behind(f"{STACK}-email", SECRET_KEY="from-long-ago-" * 5)
    before, load = resources(), Load(service, visitor)
    load.offer()
    load.wait(load.mails, "the first mail has come")
    titles, updating = [], deployer.start("update", "--all")
    reading = Thread(target=lambda: titles.append(updating.communicate()[0]), daemon=True)
    reading.start()
    while updating.poll() is None:
        load.offer(or_until=lambda: updating.poll() is not None)
    ended(reading)
    assert updating.returncode == 0, titles[0]
    load.offer()
    load.wait(load.all_come, "every mail has come, and none is lost")

    assert {key: count for key, count in load.mails().items() if count > 1} == {}, "doubled"
    assert_load_before_between_and_after_the_updates(load.calls)
    assert resources() == before
    assert "SECRET_KEY" not in variables_of(f"{STACK}-email")


def variables_of(name):
    return boto3.client("lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"]


def leave_behind(name, **variables):
    wanted = variables_of(name) | variables
    boto3.client("lambda").update_function_configuration(FunctionName=name, Environment={"Variables": wanted})


def test_what_is_frozen_holds_no_connection_also_after_an_update(service, visitor):
    assert all(service.environments(name) for name in FUNCTIONS if name != f"{STACK}-feedback")
    wait_until(lambda: not connections(), "the database has no connection left", progress=connections)


def connections():
    """What each connection to the database of the deployment has done last."""
    with psycopg.connect(os.environ["DATABASE_URL"], application_name="counting") as own:
        return own.execute(
            "SELECT state, query FROM pg_stat_activity WHERE backend_type = 'client backend' "
            "AND datname = current_database() AND application_name <> 'counting'"
        ).fetchall()


def test_a_secret_that_is_missing_at_a_start_is_named_and_the_next_start_works(service, visitor):
    ssm, stranger = boto3.client("ssm"), Visitor(service, STACK)
    ssm.delete_parameter(Name=f"/{STACK}/SECRET_KEY")
    leave_behind(STACK, A_NEW_START="1")
    assert stranger.get("/admin/login/").status == 502
    assert (
        "SECRET_KEY is missing → aws ssm put-parameter --type SecureString --overwrite --name "
        f"/{STACK}/SECRET_KEY" in service.logs(STACK)
    )

    put_secrets()
    assert stranger.get("/admin/login/").status == 200


class Load:
    """Sales, as fast as this machine takes them: the next one when the mails of those before have come."""

    def __init__(self, service, visitor):
        self._service, self._visitor, self.sold = service, visitor, []
        self._before, self._swept = len(service.calls), time.monotonic()

    def offer(self, or_until=lambda: False):
        """One more sale, as soon as the mails of the others have come, or ``or_until()``."""
        self.wait(lambda: self.all_come() or or_until(), "the mails of the sales before have come")
        self.sold.append(f"Sale {len(self.sold)}")
        self._visitor.submit("/admin/demo/flashsale/add/", "flashsale_form", {"title": self.sold[-1], **SALE})

    def wait(self, holds, what):
        wait_until(
            holds,
            what,
            progress=lambda: len(self._sends),
            standstill_seconds=STANDSTILL_SECONDS,
            pause=self._sweep,
        )

    def mails(self):
        """``(subject, address)`` of every mail about one of the sales, and how often it came."""
        mails = [each for each in self._service.cloud.outbox() if each.channel == "email"]
        return Counter((each.subject, each.recipient) for each in mails if each.subject in set(self.sold))

    def all_come(self):
        addresses = [ADA, *(f"person{number}@example.org" for number in range(PEOPLE))]
        expected = {(title, address) for title in self.sold for address in addresses}
        # To read all mails takes long: not before there are as many.
        return len(self._sends) >= len(expected) and expected <= self.mails().keys()

    @property
    def calls(self):
        """Every AWS request since the load began."""
        return self._service.calls[self._before :]

    @property
    def _sends(self):
        return [call for call in self.calls if call.operation == "SendEmail"]

    def _sweep(self, seconds):
        """Pass the time; every minute the schedule rings again for what SNS did not take in time."""
        if time.monotonic() - self._swept > SWEEP_SECONDS:
            self._service.tick_schedules()
            self._swept = time.monotonic()
        Event().wait(seconds)


def assert_load_before_between_and_after_the_updates(calls):
    updated = [call.at for call in calls if call.operation == "UpdateFunctionCode"]
    sent = [call.at for call in calls if call.operation == "SendEmail"]
    assert len(updated) == len(FUNCTIONS)
    assert min(sent) < min(updated)
    assert [at for at in sent if min(updated) < at < max(updated)]
    assert max(sent) > max(updated)
    print(f"{len(sent)} mails in {max(sent) - min(sent):.0f} s")


def resources():
    """Filters, redrive policies, mappings, roles and permission statements, as AWS tells them."""
    sns, sqs, iam, functions = (boto3.client(name) for name in ("sns", "sqs", "iam", "lambda"))
    queues = {
        url.rpartition("/")[2]: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=ATTRIBUTES)[
            "Attributes"
        ]
        for url in sqs.list_queues()["QueueUrls"]
    }
    subscriptions = [
        sns.get_subscription_attributes(SubscriptionArn=each["SubscriptionArn"])["Attributes"]
        for each in sns.list_subscriptions()["Subscriptions"]
    ]
    mappings = [
        {
            key: each.get(key)
            for key in (
                "UUID",
                "EventSourceArn",
                "State",
                "BatchSize",
                "FunctionResponseTypes",
                "ScalingConfig",
            )
        }
        for each in functions.list_event_source_mappings()["EventSourceMappings"]
    ]
    roles = {
        role["RoleName"]: iam.get_role_policy(
            RoleName=role["RoleName"], PolicyName=only_policy(role["RoleName"])
        )["PolicyDocument"]
        for role in iam.list_roles()["Roles"]
    }
    statements = {
        name: json.loads(functions.get_policy(FunctionName=name)["Policy"])["Statement"]
        for name in (STACK, f"{STACK}-sweep")
    }
    return {
        "queues": queues,
        "subscriptions": subscriptions,
        "mappings": mappings,
        "roles": roles,
        "statements": statements,
    }


def test_nobody_can_invoke_the_web_function_past_its_url(printed):
    """Zappa's handler runs any Python that an invocation names."""
    policy = json.loads(boto3.client("lambda").get_policy(FunctionName=STACK)["Policy"])
    open_to_all = [each for each in policy["Statement"] if each["Principal"] in ("*", {"AWS": "*"})]
    assert len(open_to_all) == 2
    assert [each["Condition"] for each in open_to_all] == [
        {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}},
        {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
    ]


# Away with it


def test_undeployed_and_destroyed_nothing_of_it_is_left(service, deployer, visitor):
    service.stop()
    deployer.zappa("undeploy", "--all", "--yes", "--remove-logs")
    deployer.manage("stack", "destroy", "production", "--yes")

    assert boto3.client("lambda").list_functions()["Functions"] == []
    assert boto3.client("lambda").list_event_source_mappings()["EventSourceMappings"] == []
    assert boto3.client("iam").list_roles()["Roles"] == []
    assert boto3.client("sqs").list_queues().get("QueueUrls", []) == []
    assert boto3.client("sns").list_topics()["Topics"] == []
    assert boto3.client("sns").list_subscriptions()["Subscriptions"] == []
    assert boto3.client("events").list_rules()["Rules"] == []
    assert boto3.client("logs").describe_log_groups()["logGroups"] == []
    assert boto3.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    assert boto3.client("s3").list_buckets()["Buckets"] == []
    assert boto3.client("sesv2").list_configuration_sets()["ConfigurationSets"] == []
