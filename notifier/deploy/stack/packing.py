"""Zappa's package, finished, and built once for all stages that have the same files; Zappa adds what is the
stage's own.
"""

import json
import os
import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from . import package, sbom

# What is built is this run's: by the next one, any file may have changed.
_built = {}
_folder = TemporaryDirectory(prefix="packages-")
# As Zappa's own entries: https://github.com/zappa/Zappa/pull/716
LINUX, MODE = 3, 0o755


def build_once(build, *, prefix, output=None, disable_progress=False, **options):
    """The path of a new zip, made as ``build`` does, which is Zappa's ``create_lambda_zip``.

    With ``--all`` most stages hold the same files, and most of the time of a deploy went into packing them
    again.
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


def build_finished(build, *, environment, python, **options):
    """The path of a new zip, made as ``build`` does, with the bytecode of the project by ``python``, if there
    is one, and a list of the libraries of ``environment`` that are in it.

    The environment's are compiled already; the project's files, of which a working tree has bytecode that is
    checked against their times, were compiled at each cold start.
    """
    archive = build(**options)
    with TemporaryDirectory() as folder:
        with ZipFile(archive) as opened:
            opened.extractall(folder)
            there = set(opened.namelist())
        if python:
            package.compile_folder(folder, python)
        sbom.write_sbom(Path(folder), installed=package.folder_in(environment))
        files = (path for path in Path(folder).rglob("*") if path.is_file())
        with ZipFile(archive, "a", ZIP_DEFLATED) as opened:
            for path in sorted(files):
                if (name := str(path.relative_to(folder))) not in there:
                    entry = ZipInfo(name)
                    entry.create_system, entry.external_attr = LINUX, MODE << 16
                    opened.writestr(entry, path.read_bytes(), ZIP_DEFLATED)
    return archive
