"""How the parts hang together: who may import whom, what stands where, and that nothing is there without its
queue and stage.
"""

import ast
import inspect
import json
import os
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path

import boto3
import pytest

from notifier.channels import registry
from notifier.channels.constants import declared
from notifier.channels.registry import FUNCTIONS, channel_names
from notifier.deploy.stack.stages import read_deployment

HOUSE = Path(__file__).parents[2]
PRODUCT = ("notifier", "lambdas", "project")
# What speaks to AWS around the functions: the cloud on one machine, and the deployment.
AROUND_THE_FUNCTIONS = (Path("notifier/local"), Path("notifier/deploy"))
# The stand-ins and the doctor ask the functions' own files for their limits and keys, and run them.
ASK_THE_FUNCTIONS = (Path("notifier/local"), Path("notifier/deploy/doctor"))
FILES = [path.relative_to(HOUSE) for package in PRODUCT for path in sorted((HOUSE / package).rglob("*.py"))]
MODULES = sorted(path.stem for path in (HOUSE / "lambdas").glob("*.py") if not path.stem.startswith("_"))
# Functions that a queue calls; the others are called by a schedule.
QUEUED = ["fanout", *channel_names()]


@cache
def tree_of(path):
    return ast.parse((HOUSE / path).read_text())


def imports_of(path, *, top_level=False):
    """The modules that a file imports, as absolute names: a ``from a import b`` gives ``a`` and ``a.b``."""
    tree = tree_of(path)
    found = set()
    for node in _at_import(tree) if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            here = path.parts[: len(path.parts) - node.level] if node.level else ()
            module = ".".join([*here, *([node.module] if node.module else [])])
            found |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return found


def _at_import(node):
    """All nodes that run when the module is imported: what is not inside a function."""
    yield node
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        for child in ast.iter_child_nodes(node):
            yield from _at_import(child)


def where(found):
    """``file:line`` of nodes, for the message of a failed test."""
    return [f"{path}:{node.lineno}" for path, node in found]


def stands_in(path, folders):
    return any(folder in path.parents for folder in folders)


def nodes(*, outside=()):
    for path in FILES:
        if str(path) not in outside and "migrations" not in path.parts:
            yield from ((path, node) for node in ast.walk(tree_of(path)))


# Who may import whom.


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [
        ("notifier", ("lambdas", "project", "tests")),  # usable in any project
        ("lambdas", ("project", "tests")),
        ("project", ("tests",)),
    ],
)
def test_the_arrows_point_from_project_to_lambdas_to_notifier(package, forbidden):
    found = {
        f"{path} imports {name}"
        for path in FILES
        if path.parts[0] == package
        for name in imports_of(path)
        if name.split(".")[0] in forbidden
        and not (name.split(".")[0] == "lambdas" and stands_in(path, ASK_THE_FUNCTIONS))
    }
    assert found == set()


def test_boto_is_spoken_only_by_the_publisher_the_functions_and_what_stands_around_them():
    allowed = {path for path in FILES if path.parts[0] == "lambdas" or stands_in(path, AROUND_THE_FUNCTIONS)}
    allowed.add(Path("notifier/queue/publisher.py"))
    speakers = {
        path
        for path in FILES
        if any(name.split(".")[0] in ("boto3", "botocore") for name in imports_of(path))
    }
    assert speakers - allowed == set()
    assert Path("notifier/queue/publisher.py") in speakers


def test_the_publisher_imports_boto_only_when_it_publishes():
    """A save that matches nothing must not pay for it, nor the start of every web process."""
    assert not {
        name
        for name in imports_of(Path("notifier/queue/publisher.py"), top_level=True)
        if name.startswith("boto")
    }


def test_no_client_of_aws_is_made_at_import():
    made = [
        (path, node)
        for path in FILES
        for node in _at_import(tree_of(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("client", "resource", "Session")
    ]
    assert where(made) == []


# What a reviewer sends back.


# Where a channel's name may stand, beside a project's own settings and rules, and why. All that a channel
# does differently stands in its own file, so nothing else has a reason to know it.
NAMES_OF_CHANNELS = {
    "notifier/admin/sidebar.py OUTCOME": "the name of a picture",
    "notifier/admin/templates/editor.py TemplateAdmin": "a field of the user model",
    "notifier/conf.py DEFAULTS": "a setting in which projects name channels",
    "notifier/console/apps.py ConsoleConfig": "an app that is one channel",
    "notifier/console/printing.py CHANNEL": "an app that is one channel",
    "notifier/deploy/doctor/checks.py OF_A_CHANNEL": "what to look at where a function is deployed",
    "notifier/deploy/stack/after.py ADMINISTRATOR": "a field of the user model",
    "notifier/explaining/samples.py PERSON": "a field of the user model",
    "notifier/feedback/ses.py CHANNEL": "SES reports on mail alone",
    "notifier/feedback/sms.py CHANNEL": "SNS reports on text messages alone",
    "notifier/feedback/twilio.py CHANNEL": "Twilio reports on text messages alone",
    "notifier/local/chat/telegram.py take": "a word of Telegram’s API",
    "notifier/local/outbox.py Outbox": "it shows what each provider's stand-in has got",
    "notifier/queue/subscribers.py PROTOCOLS": "a word of SNS's API",
    "notifier/templatetags/notifier.py notifier_bell": "the bell shows the inbox's rows",
    "notifier/urls.py urlpatterns": "the page of the inbox's rows",
    "lambdas/inbox.py examine": "how the editor shows an item",
}
CHANNELS = {*channel_names(), "console"}


def _names_a_channel(node):
    return isinstance(node, ast.Constant) and node.value in CHANNELS


def _name_of(statement):
    target = getattr(statement, "targets", [statement])[0]
    return getattr(target, "id", getattr(target, "name", type(target).__name__))


def test_no_code_knows_a_channel_by_name():
    """A name that stands nowhere is compared with nothing: by no constant, no default, no dict's key."""
    found = {}
    for path in FILES:
        if path.parts[0] != "project" and "migrations" not in path.parts:
            for statement in tree_of(path).body:
                if lines := [node.lineno for node in ast.walk(statement) if _names_a_channel(node)]:
                    found.setdefault(f"{path} {_name_of(statement)}", []).extend(lines)
    assert {place: lines for place, lines in found.items() if place not in NAMES_OF_CHANNELS} == {}
    assert NAMES_OF_CHANNELS.keys() - found.keys() == set(), "they name no channel any more"


def _asked_by(node):
    """What a node compares, matches or looks up by: operands, members of sets and lists, keys of dicts."""
    if isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        return operands + [part for each in operands for part in getattr(each, "elts", ())]
    if isinstance(node, ast.match_case):
        return list(ast.walk(node.pattern))
    return []


def _constants_that_name_a_channel():
    """The names of those constants, and what they are imported as."""
    constants = {
        target.id
        for _path, node in nodes()
        if isinstance(node, ast.Assign) and _names_a_channel(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    imported = {
        alias.asname
        for _path, node in nodes()
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name in constants and alias.asname
    }
    return constants | imported


def test_no_code_asks_which_channel_it_has():
    """``if channel == "email"``, or ``== sms.CHANNEL``: what a channel does differently stands in its own
    file.
    """
    constants = _constants_that_name_a_channel()
    asking = [
        (path, part)
        for path, node in nodes()
        for part in _asked_by(node)
        if _names_a_channel(part) or getattr(part, "attr", getattr(part, "id", "")) in constants
    ]
    assert where(asking) == []


def test_where_people_are_reached_is_asked_of_the_registry():
    """The setting alone does not have what the channels declare."""
    reading = [
        (path, node)
        for path, node in nodes(outside=["notifier/channels/registry.py", "notifier/checks/__init__.py"])
        if isinstance(node, ast.Call) and "ADDRESSES" in {getattr(each, "value", "") for each in node.args}
    ]
    assert where(reading) == []


def test_no_product_code_prints():
    printing = [
        (path, node)
        for path, node in nodes()
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("print", "pprint", "breakpoint")
    ]
    assert where(printing) == []


def test_no_message_field_is_called_command():
    """Zappa's own handler runs what such a key names. Only the parser knows the word, to refuse it."""
    naming = [
        (path, node)
        for path, node in nodes(outside=["notifier/queue/ring.py"])
        if isinstance(node, ast.Constant)
        and node.value == "command"
        and not stands_in(path, AROUND_THE_FUNCTIONS)
    ]
    assert where(naming) == []


STATUS_WRITERS = [
    "notifier/deliveries/answers.py",
    "notifier/deliveries/claims.py",
    "notifier/deliveries/fallback.py",
    "notifier/deliveries/holding.py",
    "notifier/deliveries/queueing.py",
    "notifier/deliveries/requests.py",
    "notifier/deliveries/settling.py",
    "notifier/deliveries/test_sends.py",
    "notifier/deliveries/fanout.py",
    "notifier/events/freezing.py",
    "notifier/deliveries/flow.py",
    "notifier/deliveries/singly.py",
]
WRITING_CALLS = {
    "update",
    "create",
    "get_or_create",
    "update_or_create",
    "bulk_create",
    "Event",
    "Delivery",
    "Row",
}


def _sets_a_status(node):
    if isinstance(node, ast.Attribute) and node.attr == "status":
        return isinstance(node.ctx, ast.Store)
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        return name in WRITING_CALLS and any(keyword.arg == "status" for keyword in node.keywords)
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and "SET status" in node.value


def test_a_status_is_set_nowhere_but_in_the_modules_of_events_and_deliveries():
    setting = [(path, node) for path, node in nodes(outside=STATUS_WRITERS) if _sets_a_status(node)]
    assert where(setting) == []
    for path in STATUS_WRITERS:
        assert any(_sets_a_status(node) for node in ast.walk(tree_of(path))), path


@pytest.mark.parametrize("channel", channel_names())
def test_every_channel_says_what_people_read_for_it(channel):
    """And says it in constants, which are read without importing the file and its provider's library."""
    assert declared(f"lambdas.{channel}", "LABEL", "") == registry.label(channel) != ""
    assert registry.verb(channel) == declared(f"lambdas.{channel}", "VERB", "")
    assert registry.mark(channel)
    assert len(registry.label(channel)) < 20


def test_a_channel_of_another_app_is_called_by_its_name():
    assert (registry.label("pigeon"), registry.verb("pigeon")) == ("Pigeon", "send by pigeon to")
    assert (registry.example("pigeon"), registry.mark("pigeon")) == ("", "")


def test_asking_what_a_channel_is_called_imports_nothing_of_it():
    code = "import sys, django; from django.conf import settings; settings.configure(); django.setup(); "
    code += (
        "import notifier.channels.registry as c; "
        "assert c.label('twitter') == 'Post on X'; assert 'tweepy' not in sys.modules and "
        "'lambdas.twitter' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=HOUSE, check=True)


def test_a_folder_of_another_place_brings_its_channels(tmp_path):
    """``lambdas`` is a namespace package: each folder of that name on the path adds its modules, such as one
    that is installed.
    """
    pager = tmp_path / "lambdas" / "pager.py"
    pager.parent.mkdir()
    pager.write_text('LABEL = "Pager"\n')
    code = (
        "import django; django.setup(); import lambdas.pager, lambdas.sms; "
        "from notifier.channels import registry; "
        "print(registry.channel_names()); print(registry.label('pager'), registry.label('sms'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=HOUSE,
        env=os.environ | {"PYTHONPATH": str(tmp_path), "DJANGO_SETTINGS_MODULE": "project.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == [str(sorted({*MODULES, "pager"} - FUNCTIONS)), "Pager SMS"], (
        done.stderr
    )


# Nothing without its queue, its filter and its stage.


@pytest.fixture(scope="module")
def subscriptions(session_cloud):
    """Per endpoint, the attributes of its subscription to the topic."""
    sns = boto3.client("sns")
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=session_cloud.topic_arn)
    return {
        found["Endpoint"]: sns.get_subscription_attributes(SubscriptionArn=found["SubscriptionArn"])[
            "Attributes"
        ]
        for page in pages
        for found in page["Subscriptions"]
    }


def attributes_of(name):
    sqs = boto3.client("sqs")
    return sqs.get_queue_attributes(
        QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"], AttributeNames=["All"]
    )["Attributes"]


@pytest.mark.parametrize("route", QUEUED)
def test_every_channel_and_function_has_its_queue_filter_and_dead_letter_queue(cloud, subscriptions, route):
    queue, dead = attributes_of(f"notifier-{route}"), attributes_of(f"notifier-{route}-dlq")
    assert json.loads(queue["RedrivePolicy"])["deadLetterTargetArn"] == dead["QueueArn"]
    subscription = subscriptions[queue["QueueArn"]]
    assert json.loads(subscription["FilterPolicy"]) == {"route": [route]}
    assert subscription["RawMessageDelivery"] == "true"


def test_no_queue_is_left_without_a_function(cloud):
    assert sorted(cloud.queues) == sorted([*QUEUED, "feedback"])


@pytest.mark.parametrize("module", MODULES)
def test_every_module_of_the_functions_has_a_handler_of_event_and_context(module):
    handler = import_module(f"lambdas.{module}").handler
    parameters = inspect.signature(handler).parameters.values()
    assert [(each.name, each.default) for each in parameters] == [
        ("event", inspect.Parameter.empty),
        ("context", inspect.Parameter.empty),
    ]


def test_channels_and_functions_are_all_there_is():
    assert set(MODULES) - FUNCTIONS == set(channel_names())


def stages():
    """Stage → Function, of those with a handler of their own."""
    return {
        function.stage: function
        for function in read_deployment("production", HOUSE / "zappa_settings.json").functions[1:]
    }


@pytest.mark.parametrize("module", MODULES)
def test_every_module_of_the_functions_has_its_stage(module):
    assert f"lambdas.{module}.handler" in {stage.handler for stage in stages().values()}, (
        "zappa_settings.json has no stage for it"
    )


@pytest.mark.parametrize("name", stages())
def test_every_stage_names_a_handler_that_is_there(name):
    module, _, attribute = stages()[name].handler.rpartition(".")
    assert callable(getattr(import_module(module), attribute))


@pytest.mark.parametrize("name", stages())
def test_a_function_has_more_time_than_one_call_and_its_queue_six_times_that(cloud, name):
    """https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"""
    from lambdas._handler import RESERVE_SECONDS

    stage = stages()[name]
    assert stage.config["timeout_seconds"] > RESERVE_SECONDS
    if stage.module in cloud.queues:
        assert (
            cloud.queues[stage.module].settings.visibility_timeout_seconds
            >= 6 * stage.config["timeout_seconds"]
        )


@pytest.mark.parametrize("channel", channel_names())
def test_a_call_fits_into_the_time_that_is_kept_for_it(channel):
    from lambdas._handler import RESERVE_SECONDS

    module = import_module(f"lambdas.{channel}")
    assert module.CONNECT_SECONDS + module.READ_SECONDS <= RESERVE_SECONDS


# A function's package is its own: it loads what it needs, and nothing of another channel.


def provider_libraries(module):
    """What a channel's file imports from outside: neither ours, nor Python's, nor what every function has."""
    common = {"django", "boto3", "botocore", "notifier", "lambdas", "project", "__future__"} | set(
        sys.stdlib_module_names
    )
    return {
        name
        for name in imports_of(Path(f"lambdas/{module}.py"), top_level=True)
        if name.split(".")[0] not in common
    }


IMPORTING = """
import json, sys
from importlib import import_module

import boto3.session, os, psycopg

def refuse(*args, **options):
    raise AssertionError("a client was made at import")

# Nobody may swallow this.
psycopg.connect = psycopg.Connection.connect = lambda *args, **options: os._exit(3)
boto3.session.Session.client = boto3.session.Session.resource = refuse
for name in sys.argv[1:]:
    assert callable(import_module(name).handler)
if not sys.argv[1:]:
    import django
    django.setup()
json.dump(sorted(sys.modules), sys.stdout)
"""


def loaded_on_lambda(*modules):
    """The modules that a fresh process has after importing these, with a Lambda's environment; without any,
    after Django's set-up.
    """
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "X_"))
    } | {
        "AWS_LAMBDA_FUNCTION_NAME": "notifier",
        "AWS_DEFAULT_REGION": "us-east-1",
        "DATABASE_URL": "postgres://nobody@127.0.0.1:9/none",
        "DEFAULT_FROM_EMAIL": "shop@example.com",
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "NOTIFIER_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:notifier",
        "SECRET_KEY": "only-for-this-test-0123456789-abcdef",
    }
    command = [sys.executable, "-c", IMPORTING, *modules]
    done = subprocess.run(command, cwd=HOUSE, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 3, "the database was opened at import"
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


@pytest.fixture(scope="module")
def loaded_by_django():
    return loaded_on_lambda()


@pytest.mark.parametrize("module", MODULES)
def test_a_function_starts_by_itself_as_on_lambda_and_loads_no_other_channels_library(
    module, loaded_by_django
):
    loaded = loaded_on_lambda(f"lambdas.{module}")
    others = set().union(
        *(provider_libraries(other) for other in MODULES if other != module)
    ) - provider_libraries(module)
    assert loaded & (others - loaded_by_django) == set()
    assert not {
        name
        for name in loaded
        if name.split(".")[0] in ("moto", "pytest") or name.startswith("notifier.local")
    }


def test_the_libraries_of_the_channels_are_told_apart_at_all(loaded_by_django):
    """The test above would pass if it compared nothing."""
    assert {"email", "fanout", "sweep"} <= set(MODULES)
    found = {channel: provider_libraries(channel) - loaded_by_django for channel in channel_names()}
    assert found["sms"] >= {"phonenumbers"}
    assert found["twitter"] >= {"tweepy"}
