"""The version of a content that a delivery is rendered from, compiled once a process.

Called by ``composing`` and ``requests``.
"""

from functools import lru_cache

from ..models import ContentVersion, Event
from ..rules import plans, providers
from ..templating import digest_data
from ..templating.compiler import merge_paths
from ..templating.contents import CompiledContent, compile_filled, compile_named
from ..templating.data import AT_RENDERING


@lru_cache(maxsize=256)
def compiled_version(pk):
    """The CompiledContent of the version ``pk``.

    Versions never change, so it is kept as long as the process.
    """
    version = ContentVersion.objects.get(pk=pk)
    is_made = bool(version.html) and not version.text.strip()
    text = version.text_from_html if is_made else version.whole("text")
    return CompiledContent(
        subject=compile_named("subject", version.subject),
        text=None if text is None else compile_named("text", text),
        html=compile_named("html", version.whole("html")),
        link=compile_filled("link", version.link),
        icon=compile_filled("icon", version.icon),
        text_is_made=is_made,
    )


def mended_version(event_id, version_id):
    """The newest version of the same content, if the event holds everything that it reads; else
    ``version_id`` itself.
    """
    newest = ContentVersion.objects.filter(content__versions=version_id).order_by("-number").first()
    if newest is None or newest.pk == version_id:
        return version_id
    plan = Event.objects.values_list("plan", flat=True).get(pk=event_id)
    held = digest_data.folded(
        merge_paths(
            *ContentVersion.objects.filter(pk__in=plans.version_ids(plan)).values_list("paths", flat=True)
        )
    )
    own = AT_RENDERING | providers.personal_names()
    wanted = {name: branch for name, branch in digest_data.folded(newest.paths).items() if name not in own}
    return newest.pk if merge_paths(held, wanted) == held else version_id
