"""Fills in the admin's forms as a browser does: what the page shows is sent back, with what a person has
changed.
"""

import re
from html.parser import HTMLParser


class _Form(HTMLParser):
    """The values of the form whose id is ``form_id``, as a browser would send them unchanged."""

    def __init__(self, form_id):
        super().__init__()
        self._form_id, self._inside, self._select, self._textarea = form_id, False, None, None
        self.values = {}

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag == "form":
            self._inside = found.get("id") == self._form_id
        elif self._inside and tag == "input":
            self._input(found)
        elif self._inside and tag == "select":
            self._select = found["name"]
            self.values.setdefault(self._select, [] if "multiple" in found else [""])
        elif self._inside and tag == "option" and "selected" in found:
            values = self.values[self._select]
            values[:] = [*(value for value in values if value), found["value"]]
        elif self._inside and tag == "textarea":
            self._textarea = found["name"]
            self.values[self._textarea] = [""]

    def _input(self, found):
        kind, name = found.get("type", "text"), found.get("name")
        if (
            name
            and kind not in ("submit", "button")
            and (kind not in ("checkbox", "radio") or "checked" in found)
        ):
            self.values.setdefault(name, []).append(found.get("value", "on" if kind == "checkbox" else ""))

    def handle_data(self, data):
        if self._textarea:
            self.values[self._textarea][0] += data

    def handle_endtag(self, tag):
        if tag == "form":
            self._inside = False
        elif tag == "textarea" and self._textarea:
            # HTML drops the first line break.
            self.values[self._textarea][0] = re.sub(r"\A\r?\n", "", self.values[self._textarea][0])
            self._textarea = None


def read_form(client, path):
    """The values of the page's own form, by name; those of the empty inline form are left out, as browsers do
    not send them.
    """
    page = client.get(path)
    assert page.status_code == 200, (path, page.status_code)
    return form_values(page.content.decode(), f"{page.context['opts'].model_name}_form")


def form_values(html, form_id):
    """The values of the form ``form_id``, name → list; see :func:`read_form`."""
    form = _Form(form_id)
    form.feed(html)
    return {name: values for name, values in form.values.items() if "__prefix__" not in name}


def filled_in(values, changes):
    """What is sent of ``values`` with ``changes``: name → value, a list of them, or None for a box that is
    not ticked.
    """
    changed = {
        name: value if isinstance(value, list) else [] if value is None else [value]
        for name, value in changes.items()
    }
    return {name: [_as_sent(value) for value in found] for name, found in (values | changed).items()}


def submit(client, path, changes):
    """Send the page's form with ``changes``, as in :func:`filled_in`."""
    return client.post(path, filled_in(read_form(client, path), changes))


def _as_sent(value):
    # https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#constructing-entry-list
    return re.sub(r"\r?\n", "\r\n", str(value))


def saved(response):
    """Whether the form was accepted; where it was not, the assertion shows why."""
    assert response.status_code == 302, errors_in(response)
    return True


def errors_in(response):
    """What the page that came back says is wrong: field → texts.

    ``""`` holds what is no field's; inlines are by prefix.
    """
    assert response.status_code == 200, "The form was accepted."
    found = {}
    _collect(found, response.context["adminform"].form, "")
    for inline in response.context["inline_admin_formsets"]:
        if texts := list(inline.formset.non_form_errors()):
            found[inline.formset.prefix] = texts
        for form in inline.formset.forms:
            _collect(found, form, f"{form.prefix}-")
    return found


def _collect(found, form, prefix):
    for field, texts in form.errors.items():
        found[prefix + ("" if field == "__all__" else field)] = list(texts)


def text_of(response):
    """The page's HTML."""
    assert response.status_code == 200
    return response.content.decode()
