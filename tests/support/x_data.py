"""Renews what a post's length is counted by: the emoji and the top-level domains, from the lists of those who
keep them.

    curl -O https://www.unicode.org/Public/emoji/latest/emoji-test.txt \
         -O https://data.iana.org/TLD/tlds-alpha-by-domain.txt
    python -m tests.support.x_data emoji-test.txt tlds-alpha-by-domain.txt
"""

import sys
import textwrap
from pathlib import Path

LAMBDAS = Path(__file__).parents[2] / "lambdas"
# A single character that X weighs as a letter is no emoji by itself.
LAST_LETTER = 0x10FF
LINE = 110


def emoji(text):
    """The emoji of an emoji-test.txt, also those without their variation selectors."""
    for line in text.splitlines():
        points, separator, status = line.partition("#")[0].partition(";")
        found = "".join(chr(int(each, 16)) for each in points.split()) if separator else ""
        if found and status.strip() != "component" and not (len(found) == 1 and ord(found) <= LAST_LETTER):
            yield found


def top_level_domains(text):
    """Those of a list of IANA's, each in its own script."""
    for line in text.split():
        name = line.lower()
        if name.isascii() and name.replace("-", "").isalnum():
            yield name.removeprefix("xn--").encode().decode("punycode") if name.startswith("xn--") else name


def as_file(words):
    options = {"width": LINE, "break_long_words": False, "break_on_hyphens": False}
    return textwrap.fill(" ".join(sorted(set(words))), **options) + "\n"


if __name__ == "__main__":
    test, zone = (Path(each).read_text(encoding="utf-8") for each in sys.argv[1:])
    (LAMBDAS / "_x_emoji.txt").write_text(as_file(emoji(test)), encoding="utf-8")
    # Its first line is a comment.
    names = top_level_domains(zone.partition("\n")[2])
    (LAMBDAS / "_x_tlds.txt").write_text(as_file(names), encoding="utf-8")
