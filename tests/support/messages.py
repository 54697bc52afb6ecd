"""Messages that this project did not write, for the queue of mails."""

import json

GOOD = json.dumps({"v": 1, "route": "email", "deliveries": [1]})


def _but(**changes):
    return json.dumps(json.loads(GOOD) | changes)


# the text, a part of what the log says
MALFORMED = [
    ("", "not JSON"),
    ("MARKED", "not JSON"),
    (GOOD[:-1], "not JSON"),  # cut off
    (GOOD + GOOD, "not JSON"),
    ("\ufeff" + GOOD, "not JSON"),
    ("[" * 1000, "not JSON"),  # deeper than the parser goes
    ("\ud800", "not JSON"),  # half a character
    ("null", "a JSON NoneType"),
    ("17", "a JSON int"),
    ('"MARKED"', "a JSON str"),
    ("true", "a JSON bool"),
    ("[]", "a JSON list"),
    (f"[{GOOD}]", "a JSON list"),
    ("{}", "another version"),
    (GOOD + " " * 1024, "longer than 1024 bytes"),
    (_but(deliveries=list(range(1, 500))), "longer than 1024 bytes"),
    (_but(deliveries=[1], note="ü" * 600), "longer than 1024 bytes"),  # in characters it is shorter
    (_but(v=2), "another version"),
    (_but(v="1"), "another version"),
    (_but(v=True), "another version"),
    (_but(v=1.0), "another version"),
    (_but(v=None), "another version"),
    (_but(route="sms"), "another route"),  # a filter that was set wrong
    (_but(route="MARKED"), "another route"),
    (_but(route=None), "another route"),
    (_but(route=["email"]), "another route"),
    (_but(events=[1]), "with more than that"),
    (_but(MARKED=1), "with more than that"),
    ('{"v": 1, "route": "email"}', "without a list"),
    ('{"v": 1, "route": "email", "events": [1]}', "without a list"),
    (_but(canaries=[1]), "with more than that"),
    ('{"v": 1, "route": "email", "canaries": []}', "without a list of canaries"),
    ('{"v": 1, "route": "email", "canaries": [0]}', "positive whole numbers"),
    (_but(deliveries=[]), "without a list"),
    (_but(deliveries=None), "without a list"),
    (_but(deliveries=1), "without a list"),
    (_but(deliveries="1"), "without a list"),
    (_but(deliveries={"1": 1}), "without a list"),
    (_but(deliveries=["1"]), "positive whole numbers"),
    (_but(deliveries=[1, None]), "positive whole numbers"),
    (_but(deliveries=[1.5]), "positive whole numbers"),
    (_but(deliveries=[1.0]), "positive whole numbers"),
    (_but(deliveries=[True]), "positive whole numbers"),
    (_but(deliveries=[0]), "positive whole numbers"),
    (_but(deliveries=[-1]), "positive whole numbers"),
    (_but(deliveries=[2**63]), "positive whole numbers"),  # more than a key's column holds
    (_but(deliveries=[10**900]), "positive whole numbers"),
    (_but(deliveries=[[1]]), "positive whole numbers"),
    ('{"v": 1, "route": "email", "deliveries": [NaN]}', "positive whole numbers"),
    # What Zappa's own handler would run: https://github.com/zappa/Zappa/blob/master/zappa/handler.py
    ('{"command": "tests.lambdas.test_handler.explode"}', "command"),
    (_but(command="tests.lambdas.test_handler.explode"), "command"),
    (_but(command=None), "command"),
]
