"""What of a rendered text came from data: put between two signs while it is rendered, and taken apart
afterwards. For channels whose services read markup and calls in a text.

The signs are noncharacters, which no text that is exchanged holds; where data has them, they go.
https://www.unicode.org/faq/private_use.html#nonchar1
"""

import re

BEGIN, END = "\ufdd0", "\ufdd1"
SIGN = re.compile(f"[{BEGIN}{END}]")


def mark(text):
    """``text``, which is data, between the two signs."""
    return f"{BEGIN}{SIGN.sub('', text)}{END}" if text else text


def take_apart(marked):
    """``(text, spans)``: the text without signs and blanks around it; ``(begin, end)`` of its data."""
    pieces, spans, length, begin = [], [], 0, None
    for piece in re.split(f"([{BEGIN}{END}])", marked):
        if piece == BEGIN:
            begin = length
        elif piece == END:
            if begin is not None and length > begin:
                spans.append((begin, length))
            begin = None
        else:
            pieces.append(piece)
            length += len(piece)
    if begin is not None:
        spans.append((begin, length))
    whole = "".join(pieces)
    text = whole.strip()
    skipped = len(whole) - len(whole.lstrip())
    within = [(max(0, begin - skipped), min(len(text), end - skipped)) for begin, end in spans]
    return text, tuple((begin, end) for begin, end in within if begin < end)
