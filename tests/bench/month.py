"""What a month costs at AWS, by the number of mails: ``python -m tests.bench.month`` prints the table of
docs/deploy.md.

What is bought of each mail is measured where ``measures`` can (a crowd's), and assumed where only AWS can
tell; both stand here.
"""

from dataclasses import dataclass

from .price import GB_SECOND, INVOCATION, SNS_REQUEST, SQS_REQUEST

MAILS = (10_000, 1_000_000, 50_000_000)
# https://aws.amazon.com/ses/pricing/
SES_MAIL = 0.10 / 1000
# https://aws.amazon.com/cloudwatch/pricing/
ALARM, METRIC, LOG_GB = 0.10, 0.30, 0.50
GB_OF_A_FUNCTION = 0.5
# Of all the stages of zappa_settings.json: the alarms of nine queues and eleven functions, and six more; the
# metrics of a stack that sends mails alone.
ALARMS, METRICS, QUEUES = 46, 12, 9
# Lambda looks into a queue by five at a time, each for twenty seconds, whether there is anything or not:
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
LOOKS = QUEUES * 5 * 3 * 60 * 24 * 30
TICKS, TICK_SECONDS = 60 * 24 * 30, 0.1
KB_A_CALL = 2


@dataclass(frozen=True, kw_only=True)
class Mail:
    """What one mail takes, with what SES tells of it afterwards: seconds of functions, their calls, requests
    of SNS and of SQS.
    """

    seconds: float
    calls: float
    sns: float
    sqs: float


# One of an event to thousands: 4.5 ms were measured (a provider of 50 ms, sixteen calls in flight, five
# messages of fifty a call), and 20 ms for five receipts are assumed.
OF_A_CROWD = Mail(seconds=0.0045 + 0.004, calls=0.004 + 0.2, sns=0.002 + 1, sqs=2 * (0.004 + 0.2))
# An event to one person: 100 ms for fan-out and mail and 20 ms for its receipt are assumed.
BY_ITSELF = Mail(seconds=0.12, calls=3, sns=3, sqs=6)


def lines(mails, each):
    """Line → dollars, without the database and the free tier."""
    calls = mails * each.calls + TICKS
    seconds = mails * each.seconds + TICKS * TICK_SECONDS
    return {
        "SES": mails * SES_MAIL,
        "Lambda": seconds * GB_OF_A_FUNCTION * GB_SECOND + calls * INVOCATION,
        "SNS and SQS": mails * (each.sns * SNS_REQUEST + each.sqs * SQS_REQUEST) + LOOKS * SQS_REQUEST,
        "CloudWatch": ALARMS * ALARM + METRICS * METRIC + calls * KB_A_CALL / 1e6 * LOG_GB,
    }


def table():
    """In Markdown: of crowds, and of mails one by one."""
    found = [[lines(mails, each) for each in (OF_A_CROWD, BY_ITSELF)] for mails in MAILS]
    rows = [
        f"| USD a month | {' | '.join(f'{mails:,} mails' for mails in MAILS)} |",
        "| --- | --- | --- | --- |",
    ]
    for name in found[0][0]:
        cells = [_span(crowd[name], single[name]) for crowd, single in found]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    sums = [_span(*(sum(each.values()) for each in both)) for both in found]
    rows.append(f"| **all but the database** | {' | '.join(f'**{each}**' for each in sums)} |")
    return "\n".join(rows) + "\n"


def _span(least, most):
    shown = [f"{each:,.0f}" if each >= 100 else f"{each:.1f}" for each in (least, most)]
    return shown[0] if shown[0] == shown[1] else f"{shown[0]} to {shown[1]}"


if __name__ == "__main__":
    print(table(), end="")
