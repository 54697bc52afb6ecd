"""Finds the event or the object that is asked about. Called by ``notifier.explaining``, and by the
commands.
"""

from ..channels.storable import storable
from ..exceptions import UnknownSubject
from ..models import Event
from ..templating import readable

HOW = "Write app_label.model:key, as in demo.flashsale:1."


def find_subject(text):
    """The Event, or the object, that ``text`` means: ``12`` or ``#12``, or ``app_label.model:key``. Raises
    UnknownSubject.
    """
    text = storable(text).strip()
    if ":" in text:
        return find_object(text, if_gone=" If it was deleted, look for its event.")
    number = text.removeprefix("#")
    event = Event.objects.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 19 else None
    if event is None:
        raise UnknownSubject(
            f"There is no event “{text}”. Write its number, or an object as in demo.flashsale:1."
        )
    return event


def find_object(text, *, if_gone=""):
    """The object that ``app_label.model:key`` names. Raises UnknownSubject, whose text ends with ``if_gone``
    where there is no such object.
    """
    label, colon, key = text.partition(":")
    model = readable.find_model(label)
    if model is None:
        raise UnknownSubject(f"There is no model “{label}”. {HOW}")
    if not colon:
        raise UnknownSubject(f"The key is missing. {HOW}")
    found = readable.find_instance(model, key)
    if found is None:
        raise UnknownSubject(f"There is no {model._meta.verbose_name} “{key}”.{if_gone}")
    return found
