"""The stand-in's other ways to a function: its URL, and EventBridge's schedules."""

import base64

import boto3
import pytest

from .toys import deploy

PAGE = """
    import base64
    def handler(event, context):
        body = event.get("body", "")
        if event["isBase64Encoded"]:
            body = base64.b64decode(body).decode("latin-1")
        return {
            "statusCode": 201,
            "headers": {"Content-Type": "image/png", "X-Seen": event["rawPath"] + "?" +
                event["rawQueryString"] + "#" + body},
            "cookies": ["a=1; Secure", "seen=" + "+".join(event.get("cookies", []))],
            "body": base64.b64encode(bytes([0, 255])).decode(),
            "isBase64Encoded": True,
        }
"""
PUBLIC = ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")


def open_url(name, actions=PUBLIC, auth_type="NONE"):
    client = boto3.client("lambda")
    client.create_function_url_config(FunctionName=name, AuthType=auth_type)
    for n, action in enumerate(actions):
        client.add_permission(FunctionName=name, StatementId=f"s{n}", Action=action, Principal="*")


def test_a_page_is_asked_for_and_read_as_a_browser_would(service):
    deploy("page", PAGE)
    open_url("page")
    answer = service.request("page", "GET", "/admin/?q=1&r=a%20b", cookies={"s": "1", "t": "2"})
    assert (answer.status, answer.headers["content-type"], answer.body) == (201, "image/png", b"\x00\xff")
    assert answer.headers["x-seen"] == "/admin/?q=1&r=a%20b#"
    assert answer.cookies == ["a=1; Secure", "seen=s=1+t=2"]


@pytest.mark.parametrize(
    ("content_type", "body", "seen"),
    [
        ("application/x-www-form-urlencoded", "a=1&b=2", "a=1&b=2"),
        ("application/octet-stream", b"\xff\x00", "\xff\x00"),
        ("application/json", "{}", "{}"),
    ],
)
def test_a_body_of_any_type_arrives_whole(service, content_type, body, seen):
    deploy("page", PAGE)
    open_url("page")
    answer = service.request("page", "POST", "/", headers={"Content-Type": content_type}, body=body)
    assert answer.headers["x-seen"] == "/?#" + seen


def test_forms_reach_the_function_in_base64_and_text_as_it_is(service):
    deploy("echo", "def handler(event, context): return event")
    open_url("echo")
    form = service.request(
        "echo", "POST", "/", headers={"content-type": "application/x-www-form-urlencoded"}, body="a=1"
    )
    text = service.request("echo", "POST", "/", headers={"content-type": "text/plain"}, body="a=1")
    assert base64.b64encode(b"a=1").decode() in form.text
    assert '"body": "a=1"' in text.text


def test_the_client_s_address_is_in_the_context_whatever_the_header_claims(service):
    deploy(
        "echo",
        "def handler(event, context): return [event['requestContext']['http']['sourceIp'], event['headers']]",
    )
    open_url("echo")
    answer = service.request(
        "echo", "GET", "/", headers={"X-Forwarded-For": "10.0.0.1"}, source_ip="198.51.100.2"
    )
    assert '["198.51.100.2", ' in answer.text
    assert '"x-forwarded-for": "10.0.0.1,198.51.100.2"' in answer.text


@pytest.mark.parametrize(
    ("actions", "auth_type"),
    [
        ((), "NONE"),
        (PUBLIC[:1], "NONE"),  # since October 2025 both are needed
        (PUBLIC[1:], "NONE"),
        (PUBLIC, "AWS_IAM"),  # our requests are not signed
    ],
)
def test_a_url_that_the_function_s_policy_does_not_open_is_forbidden(service, actions, auth_type):
    deploy("page", PAGE)
    open_url("page", actions, auth_type)
    assert service.request("page", "GET", "/").status == 403


def test_a_page_whose_function_fails_is_a_bad_gateway(service):
    deploy("page", "def handler(event, context): raise ValueError('plum')")
    open_url("page")
    answer = service.request("page", "GET", "/")
    assert answer.status == 502
    assert "plum" not in answer.text


def test_a_function_s_urls_are_listed(service):
    arn = deploy("page", PAGE)
    client = boto3.client("lambda")
    assert client.list_function_url_configs(FunctionName="page")["FunctionUrlConfigs"] == []
    open_url("page")
    for name in ("page", arn):
        [found] = client.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"]
        assert (found["FunctionArn"], found["AuthType"]) == (arn, "NONE")


def test_a_function_without_a_url_has_none(service):
    deploy("page", PAGE)
    with pytest.raises(LookupError, match="no function URL"):
        service.request("page", "GET", "/")


def schedule(function_arn, *, state="ENABLED", **target):
    events = boto3.client("events")
    arn = events.put_rule(Name="minute", ScheduleExpression="rate(1 minute)", State=state)["RuleArn"]
    events.put_targets(Rule="minute", Targets=[{"Id": "1", "Arn": function_arn, **target}])
    return arn


def permit(rule_arn):
    boto3.client("lambda").add_permission(
        FunctionName="sweep",
        StatementId="s",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule_arn,
    )


def test_a_schedule_calls_its_function(service):
    rule = schedule(
        deploy("sweep", "def handler(event, context): return event['source'] + str(event['resources'])")
    )
    permit(rule)
    [tick] = service.tick_schedules()
    assert (tick.rule, tick.function) == ("minute", "sweep")
    assert tick.outcome.json() == f"aws.events['{rule}']"


def test_a_schedule_hands_over_the_target_s_own_input(service):
    permit(schedule(deploy("sweep", "def handler(event, context): return event"), Input='{"n": 1}'))
    [tick] = service.tick_schedules()
    assert tick.outcome.json() == {"n": 1}


@pytest.mark.parametrize("permitted", [None, "arn:aws:events:us-east-1:123456789012:rule/another"])
def test_a_schedule_that_the_function_s_policy_does_not_name_calls_nothing(service, permitted):
    schedule(deploy("sweep", "def handler(event, context): return 1"))
    if permitted:
        permit(permitted)
    [tick] = service.tick_schedules()
    assert tick.outcome is None
    assert service.environments("sweep") == []


def test_a_disabled_schedule_calls_nothing(service):
    permit(schedule(deploy("sweep", "def handler(event, context): return 1"), state="DISABLED"))
    assert service.tick_schedules() == []
