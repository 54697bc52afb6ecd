"""``events``: the list that a template reads where several events go out as one message."""

from .compiler import merge_paths

# The name that templates read them by.
EVENTS = "events"


def folded(paths):
    """The tree of what one event must store for a template that reads ``paths``: a name read of ``events`` is
    read of each event.
    """
    if EVENTS not in paths:
        return paths
    others = {name: branch for name, branch in paths.items() if name != EVENTS}
    items = {name: branch for name, branch in paths[EVENTS].get("*", {}).items() if name}
    return merge_paths(others, items)


def unknown_names(paths):
    """The names that are read of ``events`` as if it were no list, sorted."""
    return sorted(paths.get(EVENTS, {}).keys() - {"", "*"})


def gathered(data):
    """The variables for several events' data, oldest first: the newest one's own names, and each with its own
    as ``events``.
    """
    return data[-1] | {EVENTS: [dict(each) for each in data]}
