"""Text as every column of every database holds it: PostgreSQL refuses NUL, and a lone surrogate is no UTF-8.

For whatever comes from outside (arguments, addresses, providers' answers); what a person types is refused
instead, where it is typed.
"""

# https://www.postgresql.org/docs/current/datatype-character.html: “The characters … code zero … cannot be
# stored.”
NUL = "\0"


def storable(text, length=None):
    """``text`` without NUL, with a question mark for each lone surrogate, and at most ``length`` characters
    of it.
    """
    if not is_storable(text):
        text = text.replace(NUL, "").encode(errors="replace").decode()
    return text[:length]


def is_storable(text):
    """Whether a column holds ``text`` as it is."""
    if NUL in text:
        return False
    return text.isascii() or not any("\ud800" <= each <= "\udfff" for each in text)
