"""How a setting says where a person's address is: a path on the user, or a text with paths in braces."""

import string


def read_address(setting: str) -> list[tuple[str, str]]:
    """``(text, path)`` pairs, of which either may be blank: “telegram:{profile.chat}” is a text, then a path.

    ValueError says what is wrong with it.
    """
    if not isinstance(setting, str) or not setting.strip():
        raise ValueError("It names nothing of the user.")
    if "{" not in setting and "}" not in setting:
        return [("", setting)]
    try:
        parts = list(string.Formatter().parse(setting))
    except ValueError:
        raise ValueError("Its braces do not pair. Write a path in each: telegram:{profile.chat}.") from None
    if any(spec or conversion for _text, _path, spec, conversion in parts):
        raise ValueError("In its braces a path stands alone, without : or !.")
    if any(path is not None and not path.strip() for _text, path, _spec, _conversion in parts):
        raise ValueError("There are braces with nothing inside them.")
    found = [(text, (path or "").strip()) for text, path, _spec, _conversion in parts]
    if not any(path for _text, path in found):
        raise ValueError("It names nothing of the user, so everybody would have the same address.")
    return found
