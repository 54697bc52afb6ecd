"""Which names sound like a secret: of columns, of arguments, of keys in JSON.

A name is read as its words, whatever stands between them: ``apiKey``, ``API-KEY`` and ``api_key`` are one.
A word that is mostly ordinary, as ``code``, counts only beside one that says what it opens: ``reset_code``,
not ``postal_code``. A key is taken for a secret unless the word before it says what it is the key of.
"""

import re
from functools import lru_cache


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Within a word.
FRAGMENTS = ("password", "passwd", "passphrase", "passcode", "secret", "token", "apikey", "credential")
ORDINARY = re.compile(r"secretar")
WORDS = _words("""
    hash salt otp otps otpauth totp hotp session sessionid cvv cvc pwd passkey passkeys nonce jwt csrf xsrf
    iban otpcode authkey accesskey privatekey secretkey signingkey encryptionkey masterkey sshkey hmackey
    sessionkey
""")
# Two words that are one elsewhere, and whole names.
PAIRS = _words("password passwd passphrase passcode passkey apikey privatekey setcookie httpcookie")
WHOLE = _words("extradata authorization httpauthorization proxyauthorization")
# What a row is, at the end of its model's name.
KINDS = _words("token credential credentials secret password passkey apikey")
# What a code, a seed or a signature is for where it is a secret.
OPENING = _words("""
    reset login logon signin otp totp verification verify validation recovery recover restore backup auth
    authentication authenticator authorization authorisation oauth access security activation activate 2fa
    mfa tfa factor onetime sms magic unlock scratch emergency grant challenge pin hmac webhook request
    wallet device
""")
CONFIRMING, OF_ACCOUNTS = _words("confirm confirmation"), _words("email mail phone account user")
# What may follow the word that counts: `pin_hash`, `reset_code_2`.
ENDINGS = _words("value values text raw plain hex base digest encrypted hashed old new current")
# What an ordinary key is the key of.
OF_KEYS = _words("""
    foreign primary natural surrogate composite candidate unique partition shard sort order lookup search
    index cache idempotency dedup message translation text language locale object entity row record table
    column field model type kind state status event topic queue storage file image media document folder
    path route page section block node parent child group category region country city product item sku
    variant brand tag label name attribute property option setting feature plan price tax currency shipping
    warehouse store shop customer supplier company department team project issue ticket task board season
    date month year map legend color colour music musical answer public license licence serial software game
    cd house door room car locker hotel spare hot arrow external reference ref business s3
""")
BETWEEN = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^a-zA-Z0-9]+")
# A name in somebody's JSON can be a whole text.
MAX_CHARACTERS = 200


def may_be_secret(name: str) -> bool:
    """Whether ``name`` sounds like something that no event and no message may hold."""
    return _may_be_secret(name[:MAX_CHARACTERS])


@lru_cache(maxsize=8192)
def _may_be_secret(name: str) -> bool:
    words = _words_of(name)
    joined = "".join(words)
    if any(fragment in ORDINARY.sub("", word) for word in words for fragment in FRAGMENTS):
        return True
    if not WORDS.isdisjoint((*words, joined)) or joined in WHOLE:
        return True
    if not PAIRS.isdisjoint(first + second for first, second in zip(words, words[1:], strict=False)):
        return True
    while len(words) > 1 and (words[-1] in ENDINGS or words[-1].isdigit()):
        words = words[:-1]
    return bool(words) and _opens(words[:-1], words[-1])


def _words_of(name: str) -> list[str]:
    if name.startswith("get_") and name.endswith("_display"):
        name = name[len("get_") : -len("_display")]
    words = [word.lower() for word in BETWEEN.split(name) if word]
    # The one of `pin2`, but not of `s3` and `2fa`.
    return [word.rstrip("0123456789") if len(word.rstrip("0123456789")) > 1 else word for word in words]


def _opens(before: list[str], last: str) -> bool:
    """Whether the ``last`` word of a name, after those ``before`` it, is one that opens something."""
    said = {*before, *(first + second for first, second in zip(before, before[1:], strict=False))}
    is_for_opening = not OPENING.isdisjoint(said)
    match last:
        case "pin" | "pins":
            return True
        case "code" | "codes" | "answer" | "answers":
            return is_for_opening or not (CONFIRMING.isdisjoint(said) or OF_ACCOUNTS.isdisjoint(said))
        case "key" | "keys":
            return bool(before) and before[-1] not in OF_KEYS
        case "seed" | "signature":
            return not before or is_for_opening
        case "verifier" | "phrase" | "material":
            return bool(before) and before[-1] in ("code", "seed", "key", "recovery")
    return False


def is_called_secret(model_name: str) -> bool:
    """Whether a model is called by what it is a row of: ``DeviceToken``, ``ApiKey``, not ``TokenSale``."""
    words = _words_of(model_name)
    return words[-1:] != [] and (words[-1] in KINDS or words[-1] == "key" and _opens(words[:-1], "key"))
