"""Zappa's package, built once for all stages that have the same files; Zappa adds what is the stage's own."""

import json
import os
import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory

# What is built is this run's: by the next one, any file may have changed.
_built = {}
_folder = TemporaryDirectory(prefix="packages-")


def build_once(build, *, prefix, output=None, disable_progress=False, **options):
    """The path of a new zip, made as ``build`` does, which is Zappa's ``create_lambda_zip``.

    With ``--all`` ten stages of eleven hold the same files, and most of the time of a deploy went into
    packing them again.
    """
    # Before the building, which adds to the lists that it gets.
    key = json.dumps([os.environ.get("VIRTUAL_ENV"), options], sort_keys=True, default=str)
    if key in _built:
        kept = _built[key]
        return shutil.copy(kept, output or f"{prefix}-{int(time.time())}{kept.suffix}")
    archive = build(prefix=prefix, output=output, disable_progress=disable_progress, **options)
    # Zappa removes the zip once it is uploaded.
    _built[key] = Path(shutil.copy(archive, Path(_folder.name, f"{len(_built)}{Path(archive).suffix}")))
    return archive
