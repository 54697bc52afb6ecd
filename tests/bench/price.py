"""What a million mails cost at AWS beside SES's own hundred dollars, by what was measured.

Prices are those of US East (N. Virginia) as their pages had them in 2026, in dollars.
"""

import json
from pathlib import Path

MAILS = 1_000_000
# A second of a gigabyte, x86, and a call. https://aws.amazon.com/lambda/pricing/
GB_SECOND, INVOCATION = 0.0000166667, 0.20 / 1e6
# A request to publish, of 64 KB at most; a batch is one. Handing on to SQS is free.
# https://aws.amazon.com/sns/pricing/
SNS_REQUEST = 0.50 / 1e6
# To receive ten messages, and to delete them. https://aws.amazon.com/sqs/pricing/
SQS_REQUEST = 0.40 / 1e6
# 4 KB that Aurora Standard writes. https://aws.amazon.com/rds/aurora/pricing/
AURORA_WRITE, AURORA_WRITE_BYTES = 0.20 / 1e6, 4096
# The memory at which a function has one processor.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
MB_OF_A_PROCESSOR = 1769
SETTINGS = Path(__file__).parents[2] / "zappa_settings.json"


def of_million(found):
    """``(dollars in all, line → dollars)`` of ``found``, what ``measures`` has given."""
    memory = json.loads(SETTINGS.read_text())["production_fanout"]["memory_size"]
    mail, row = billed_seconds(found["slow"], memory), billed_seconds(found["fanout"], memory)
    calls = 2 * found["messages"] / 10  # the fan-out's own are few
    lines = {
        f"Lambda, {1000 * mail:.1f} ms a mail": MAILS * mail * memory / 1024 * GB_SECOND,
        f"Lambda, {1000 * row:.2f} ms a row of the fan-out": MAILS * row * memory / 1024 * GB_SECOND,
        "its calls": MAILS * calls * INVOCATION,
        "SNS": MAILS * found["requests"] * SNS_REQUEST,
        "SQS": MAILS * 2 * calls * SQS_REQUEST,
    }
    if "written" in found:
        written = found["written"] / AURORA_WRITE_BYTES
        lines[f"writes, {found['written']:,.0f} bytes a mail"] = MAILS * written * AURORA_WRITE
    return sum(lines.values()), lines


def billed_seconds(took, memory):
    """The longer of the two: what it took here, with the provider's time; and its own work, on the part of a
    processor that so many MB have.
    """
    wall, work = took
    return max(wall, work * MB_OF_A_PROCESSOR / memory)
