"""Follows the links of a site as one person, and looks at what its pages show of planted marks."""

import json
import re
from collections import deque
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

# The start of a mark is longer than what a masked value shows; the rest breaks out of whatever it stands in.
TAG = re.compile(r"zyqm(\d{3})q", re.IGNORECASE)
PAYLOADS = [
    "'\"></script></textarea></title></style>--><zz onerror=alert(1)>",
    "'\"></script></textarea><zz>",
    "'\"><zz>",
    "",
]
# Never followed: they end the visit, or are long and tell nothing.
LEFT_OUT = re.compile(r"/logout/|/static/|/jsi18n/|/media/")
# Attributes that are run.
RUN = ("on", "x-", "@", ":")


def mark(number, most):
    """The mark of a column, of at most so many characters; None is any number."""
    tag = f"Zyqm{number:03}q"
    return tag + next(each for each in PAYLOADS if most is None or len(tag + each) <= most)


class Page(HTMLParser):
    """The links of a page, the ``marks`` that it shows, and the ``faults``: what came out of a mark."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.links, self.faults, self._inside = [], [], None
        self.marks = {int(number) for number in TAG.findall(text)}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self._inside = (tag, dict(attrs))
        if tag.startswith("zz"):
            self.faults.append(f"an element of its own: {self.getpos()}")
        for name, value in attrs:
            if "zz" in name or TAG.search(name) or "'" in name or '"' in name:
                self.faults.append(f"an attribute of its own: {name[:30]}")
            if name.startswith(RUN) and TAG.search(value or ""):
                self.faults.append(f"a script's attribute {name} of <{tag}>")
            if name == "srcdoc" and value and "<zz" in value:
                self.faults.append(f"in the srcdoc of <{tag}>")
            if name in ("href", "src", "action") and value:
                if re.match(r"\s*(javascript|data|vbscript):", value, re.IGNORECASE):
                    self.faults.append(f"a script for an address: {value[:30]}")
                if name == "href" and tag == "a":
                    self.links.append(value)

    handle_startendtag = handle_starttag

    def handle_data(self, data):
        if not self._inside or self._inside[0] not in ("script", "style") or not TAG.search(data):
            return
        kind = self._inside[1].get("type", "")
        if "json" not in kind:
            self.faults.append(f"in a <{self._inside[0]}>")
        elif "<zz" in data or "</" in data:
            self.faults.append("unescaped in an island of JSON")

    def handle_endtag(self, tag):
        self._inside = None


def look(client, url):
    """``(Page, what is wrong)`` of an address, for whoever is signed in. Redirects are links."""
    response = client.get(url)
    if response.status_code >= 500:
        error = getattr(response, "exc_info", (None, "?"))
        return None, [f"status {response.status_code}: {ascii(error[1])[:120]}"]
    if response.status_code in (301, 302):
        page = Page("")
        page.links.append(response.url)
        return page, []
    text = response.text
    kind = response.headers.get("Content-Type", "")
    if kind.startswith("text/html"):
        page = Page(text)
        return page, page.faults
    page = Page("")
    page.marks = {int(number) for number in TAG.findall(text)}
    if "json" in kind:
        json.loads(text)
    return page, []


def crawl(client, seeds, most):
    """Address → ``(marks, faults)`` of at most so many pages, from ``seeds`` on along the links."""
    found, ahead, known = {}, deque(seeds), set(seeds)
    while ahead and len(found) < most:
        url = ahead.popleft()
        page, faults = look(client, url)
        found[url] = (page.marks if page else set(), faults)
        for link in page.links if page else ():
            parts = urlsplit(urljoin(f"http://testserver{url}", link))
            address = parts.path + (f"?{parts.query}" if parts.query else "")
            if parts.netloc == "testserver" and not LEFT_OUT.search(address) and _kind(address) not in known:
                known.add(_kind(address))
                ahead.append(address)
    return found


def _kind(address):
    # Two orders of one list, or two ways into one popup, are one page; two filters are two.
    path, _mark, query = address.partition("?")
    kept = [part for part in query.split("&") if not part.startswith(("_changelist_filters", "next="))]
    return f"{path}?{'&'.join(kept)}" if kept != [""] else path
