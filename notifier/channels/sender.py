"""The sender of mails, as people write it into the settings: ``Shop <shop@example.com>``.

Asked when settings are read, so it needs none: by ``deploy.environment``, ``checks`` and the stack.
"""

import re
from email.errors import InvalidHeaderDefect
from email.headerregistry import Address, HeaderRegistry
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.encoding import punycode

from ..exceptions import SenderRefused

NO_ADDRESS = "it holds no mail address"
# What an address may stand in, where the rest cannot be read.
LOOSE_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"@]{1,64}@[^\s<>()\[\],;:\"@]{1,255}")
CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_headers = HeaderRegistry()


def address_of(text: str) -> str:
    """The address in a sender, its domain as DNS has it. Raises SenderRefused, with the form to write."""
    if CONTROL.search(text.strip()):
        raise SenderRefused("it holds a line break or another control character")
    addresses, defects = _parsed(text.strip())
    usable = [each for each in addresses if _is_usable(each)]
    if len(usable) == len(addresses) > 1:
        raise SenderRefused(f"it holds {len(addresses)} addresses; a mail has one sender")
    if len(addresses) == 1 and addresses[0].domain and not addresses[0].username.isascii():
        # https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html: no SMTPUTF8.
        raise SenderRefused(
            "before the @ it holds a letter that is not ASCII, which Amazon SES does not take"
        )
    if (
        len(usable) != 1
        or len(addresses) != 1
        or any(isinstance(each, InvalidHeaderDefect) for each in defects)
    ):
        raise SenderRefused(_advice(text.strip()))
    return f"{usable[0].username}@{punycode(usable[0].domain)}"


def _parsed(text: str) -> tuple[list[Address], list[Any]]:
    try:
        header: Any = _headers("from", text)
    except (
        ValueError,
        IndexError,
        AttributeError,
    ):  # a line break behind an encoded word; the parser's faults
        return [], []
    return list(header.addresses), list(header.defects)


def _is_usable(address: Address) -> bool:
    try:
        validate_email(address.addr_spec)
        punycode(address.domain)
    except (ValidationError, UnicodeError):
        return False
    return True


def _advice(text: str) -> str:
    """What is wrong with ``text``; if quotation marks around the name would mend it, with them."""
    found = LOOSE_ADDRESS.findall(text)
    if not found:
        return NO_ADDRESS
    name = text[: text.rfind(found[-1])].strip().rstrip("<").strip().strip('"')
    quoted = '"' + name.replace("\\", r"\\").replace('"', r"\"") + f'" <{found[-1]}>' if name else found[-1]
    addresses, defects = _parsed(quoted)
    if quoted == text or defects or [_is_usable(each) for each in addresses] != [True]:
        return "it is no address, nor a name and an address in < >"
    return f"a mail program reads it otherwise; write {quoted}"
