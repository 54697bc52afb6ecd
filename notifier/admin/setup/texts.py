"""Words to start from, that already render for what was chosen, and names that nothing else has.

Called by ``page`` and ``rows``.
"""

from django.utils.html import escape
from django.utils.text import capfirst, slugify
from django.utils.translation import gettext as _

from ...explaining import summaries
from ...models import Audience, Template, Trigger
from ...rules import roots
from . import insertables

# Of the object, as many lines as a first draft wants.
MOST_LINES = 4


def starting_texts(trigger):
    """``subject``, ``body``, ``text`` and ``link`` for this trigger."""
    model = roots.object_of(trigger)
    offered = insertables.for_texts(trigger)
    greeting = next((name for words, name in offered if name == "{{ user.first_name }}"), "")
    what = (
        "{{ instance }}"
        if any(name.startswith("{{ instance.") for _words, name in offered)
        else "{{ action_object }}"
    )
    headline = f"{capfirst(model._meta.verbose_name)}: {what}" if model else _("News")
    lines = [
        f"<li>{escape(words)}: {name}</li>" for words, name in offered if name.startswith("{{ instance.")
    ][:MOST_LINES]
    body = [f"<p>{_('Hello')} {greeting},</p>" if greeting else f"<p>{_('Hello')},</p>", f"<p>{headline}</p>"]
    body += ["<ul>", *lines, "</ul>"] if lines else []
    link = "{{ instance.get_absolute_url }}"
    link = link if any(name == link for _words, name in offered) else ""
    return {"subject": headline, "body": "\n".join(body), "text": headline, "link": link}


def trigger_name(trigger):
    return unused(Trigger, capfirst(summaries.describe_when(trigger)), separator=" ")


def template_name(name):
    return unused(Template, slugify(name) or "message", separator="-")


def audience_name(words):
    return unused(Audience, capfirst(words), separator=" ")


def unused(model, name, *, separator):
    """``name``, cut to what fits and numbered where another row has it."""
    longest = model._meta.get_field("name").max_length - 5
    name = name[:longest].rstrip("-, ")
    taken = set(model.objects.filter(name__startswith=name).values_list("name", flat=True))
    numbered = (f"{name}{separator}{number}" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(each for each in numbered if each not in taken)
