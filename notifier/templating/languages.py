"""The language and time zone of a message: the person's, then the site's."""

import re
from contextlib import ExitStack, nullcontext
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.conf import settings
from django.conf.locale import LANG_INFO
from django.utils import timezone, translation
from django.utils.translation.trans_real import get_supported_language_variant

# A language tag as people and Django write it: "de", "pt-br", "zh-hans".
TAG = re.compile(r"[a-z]{2,8}(-[a-z0-9]{1,8})*")
# The columns' lengths.
MAX_TAG_CHARACTERS, MAX_ZONE_CHARACTERS = 20, 50


def tag_of(value):
    """A person's language as a tag, such as "de-at"; ``""`` where it is none."""
    tag = str(value or "").strip().lower().replace("_", "-")
    return tag if len(tag) <= MAX_TAG_CHARACTERS and TAG.fullmatch(tag) else ""


def zone_name(value):
    """A person's time zone by its name; ``""`` where there is no such zone."""
    name = str(value or "").strip()
    return name if len(name) <= MAX_ZONE_CHARACTERS and zone_of(name) else ""


@lru_cache(maxsize=1024)
def zone_of(name):
    """The time zone of this name, or None."""
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):  # no such zone; a path; a folder of zones
        return None


def choose(available, language):
    """The one of the ``available`` languages that a person gets: their own, the site's, the one for any
    language, or any that there is. Nearness is as Django has it.
    """
    by_tag = {tag_of(each): each for each in sorted(available)}
    wishes = (_nearest(tag, by_tag) for tag in map(tag_of, (language, settings.LANGUAGE_CODE)) if tag)
    chosen = next((tag for tag in wishes if tag is not None), "")
    return by_tag.get(chosen, min(available))


def _nearest(tag, available):
    """As Django's ``get_supported_language_variant``: the tag, its script, ever less of it, then another
    variant of the same language. Of several variants, one in the same script. None where there is none.
    """
    own = _with_wider(tag)
    variants = sorted(each for each in available if each.startswith(f"{own[-1]}-"))
    akin = [each for each in variants if not {tag, *own[:-1]}.isdisjoint(_with_wider(each)[:-1])]
    return next((each for each in (*own, *akin, *variants) if each in available), None)


@lru_cache(maxsize=1024)
def _with_wider(tag):
    """The tag and what is wider: ``zh-tw``, ``zh-hant``, ``zh``. The last is the language alone."""
    words = tag.split("-")
    shorter = ["-".join(words[:number]) for number in range(len(words) - 1, 0, -1)]
    return (tag, *LANG_INFO.get(tag, {}).get("fallback", ()), *shorter)


def spoken(content, person):
    """The language that a content is rendered in: a German text has German dates, also for somebody who reads
    no German. An Austrian has Austrian ones in it.
    """
    return person if not content or tag_of(content) in _with_wider(person) else tag_of(content)


def in_language(language, time_zone):
    """The context to translate in, and to write numbers, dates and times, for somebody; to be entered at
    once.

    What Django does not know is the site's; nothing raises.
    """
    # `timezone.override(None)` would be whatever the thread has.
    zone = zone_of(time_zone) or timezone.get_default_timezone()
    code = known_to_django(language)
    if translation.get_language() == code and timezone.get_current_timezone() is zone:
        # Asked for each message; to switch costs as much as a small one, and more than most conditions.
        return nullcontext()
    stack = ExitStack()
    stack.enter_context(translation.override(code))
    stack.enter_context(timezone.override(zone))
    return stack


def of_the_site():
    """The context to read data in, whoever acts: dates, choices and texts in the site's language, the same
    for the person who is signed in and for the one who later asks why.
    """
    return in_language("", "")


@lru_cache(maxsize=1024)
def _variant(language, _languages):
    try:
        return get_supported_language_variant(language)
    except LookupError:
        return settings.LANGUAGE_CODE


def known_to_django(language):
    """The language of ``settings.LANGUAGES`` that is nearest to a tag, or the site's."""
    return (
        _variant(language, tuple(code for code, _ in settings.LANGUAGES))
        if language
        else settings.LANGUAGE_CODE
    )
