"""Runs in an execution environment, instead of ``python -m awslambdaric HANDLER``: the same, plus one list.

Before it waits for an event it writes down which files have been imported so far, for
``LambdaService.imported_files``. It needs the standard library and the runtime client only.
"""

import runpy
import sys
from types import ModuleType


def imported_files():
    """Where each loaded module lies: its file, or the folders of a package without one."""
    for module in list(sys.modules.values()):
        if isinstance(module, ModuleType):
            names = vars(module)
            file = names.get("__file__")
            yield from [file] if file else map(str, names.get("__path__") or ())


def note_before_waiting(client, path):
    wait = client.next

    def next_event():
        with open(path, "w") as notes:
            notes.write("\n".join(sorted(set(imported_files()))))
        return wait()

    client.next = next_event


def main():
    notes = sys.argv.pop()
    import runtime_client

    note_before_waiting(runtime_client, notes)
    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
