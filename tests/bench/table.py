"""What was measured, as tables in Markdown that can be read in a terminal as well."""

from . import price
from .budget import CROWD_RATE, IN_FLIGHT, PROVIDER_SECONDS

SIZES = (1, 1_000, 10_000, 100_000)


def of_measures(found):
    """``found``: database → what ``measures`` has given, of each."""
    rows = [["", *found]] + [
        [name, *(show(each) if each.keys() >= set(needs) else "–" for each in found.values())]
        for name, needs, show in figures()
        if any(each.keys() >= set(needs) for each in found.values())
    ]
    return _table(rows)


def figures():
    """``(name, the measures that it needs, a function of these that shows it)`` of each row."""
    yield "a plain save", ["plain"], lambda found: _time(found["plain"])
    for name, what in [
        ("unmatched", "an unmatched save ÷ a plain save"),
        ("publish", "a bare `sns.publish` ÷ a plain save"),
        ("publish_batch", "a bare `publish_batch` of one ÷ a plain save"),
        ("matched", "a matched save ÷ a plain save"),
    ]:
        yield what, [name, "plain"], _ratio([name], ["plain"])
    yield (
        "**a matched save ÷ (a plain save + a bare publish)**",
        ["matched", "plain", "publish"],
        _ratio(["matched"], ["plain", "publish"]),
    )
    yield "**rows/s of the fan-out ÷ bare `INSERT … SELECT`**", ["fanout"], _ratio(["insert"], ["fanout"])
    for size in SIZES:
        yield (
            f"**mails/s from a save to {size:,} at a no-op transport ÷ bare Django loop**",
            [f"ours {size}"],
            _ratio([f"loop {size}"], [f"ours {size}"]),
        )
    for size, what in [(1, "each"), (50, "fifty")]:
        yield (
            f"delivered/s, a call for {what} ÷ bare `Template.render`",
            [f"by {size}"],
            _ratio(["render"], [f"by {size}"]),
        )
    yield (
        f"**mails/s of a function, provider of {PROVIDER_SECONDS * 1000:.0f} ms ÷ "
        f"({IN_FLIGHT} / {PROVIDER_SECONDS * 1000:.0f} ms)**",
        ["slow"],
        lambda found: _used(found["slow"]),
    )
    yield (
        "**statements, one event to one person** (fan-out + e-mail, and to begin and end transactions)",
        ["statements"],
        lambda found: _statements(found["statements"]),
    )
    yield (
        f"**urgent mails from commit to sent, beside a crowd at {CROWD_RATE}/s**",
        ["urgent"],
        lambda found: _waits(found["urgent"]),
    )
    yield (
        "**memory of the fan-out of 100,000 ÷ of 1,000** (a whole process)",
        ["peak crowd", "peak few"],
        lambda found: _memory(found["peak crowd"], found["peak few"]),
    )
    yield (
        "**a million mails at AWS**, beside SES's own $100",
        ["slow", "fanout", "requests"],
        lambda found: _dollars(*price.of_million(found)),
    )


def of_pages(found):
    """``found``: what ``paging.compare`` has given."""
    rows = [["pages with a million deliveries, on PostgreSQL", "statements", "ms", "× with a thousand"]]
    for name, statements, few, many, is_scanning in found:
        warning = " READS THE WHOLE TABLE" * is_scanning
        rows.append([name, f"{statements}", f"{many * 1e3:.0f}", f"{many / few:.1f}{warning}"])
    return _table(rows)


def _table(rows):
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "| " + " | ".join("---".ljust(width) for width in widths) + " |")
    return "\n".join(["", *lines, ""])


def _ratio(above, below):
    """Shows the quotient of two sums: by the clock, by this process's own work, and the two in themselves."""

    def show(found):
        parts = [[sum(found[name][kind] for name in names) for kind in (0, 1)] for names in (above, below)]
        (wall, work), (other, others) = parts
        quotients = f"{_number(wall / other)} (CPU {_number(work / others)};"
        return f"{quotients} {_microseconds(wall)} ÷ {_microseconds(other)})"

    return show


def _number(value):
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _microseconds(seconds):
    return f"{seconds * 1e6:,.0f} µs"


def _time(took):
    return f"{_microseconds(took[0])} (CPU {_microseconds(took[1])})"


def _used(took):
    share, a_second = PROVIDER_SECONDS / IN_FLIGHT / took[0], 1 / took[0]
    return f"{share:.2f} ({a_second:,.0f}/s; CPU {_microseconds(took[1])} a mail)"


def _statements(found):
    own = {route: number - transactions for route, (number, transactions) in found.items()}
    around = sum(transactions for _number, transactions in found.values())
    return f"{sum(own.values())} ({own['fanout']} + {own['email']}, and {around})"


def _waits(found):
    waits = sorted(found)
    (median, _), (most, is_sent) = waits[len(waits) // 2], waits[-1]
    least = "" if is_sent else "at least "
    return f"{least}{most:,.1f} s (of {len(waits)} over a minute the longest; the median {median:,.1f} s)"


def _memory(many, few):
    return f"{many / few:.2f} ({many / 1024:,.0f} MB ÷ {few / 1024:,.0f} MB)"


def _dollars(total, lines):
    return f"${total:.2f} (" + "; ".join(f"{name} ${each:.2f}" for name, each in lines.items()) + ")"
