"""Readable text from HTML."""

import re

from inscriptis import get_text


def html_to_text(html):
    return re.sub(r"\n{3,}", "\n\n", get_text(html)).strip()


def text_template_from_html(source):
    return None
