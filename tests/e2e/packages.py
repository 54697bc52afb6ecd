"""What an execution environment starts from: the unpacked package."""

import io
import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from .definitions import read_definition, read_package

# A function runs as a user who owns nothing of its package; what that one cannot read is here as good as left
# out. https://repost.aws/knowledge-center/lambda-deployment-package-errors
READABLE_BY_ALL = 0o004


class Packages:
    """Unpacks each version of each function once, into a folder of its own below ``root``."""

    def __init__(self, root):
        self._root, self._lock, self._unpacked = Path(root), Lock(), {}

    def unpack(self, definition):
        """The folder that holds exactly what was uploaded; and the definition, anew if its code was replaced
        just now.
        """
        with self._lock:
            try:
                package = None if self._folder(definition).exists() else read_package(definition)
            except LookupError:
                definition = read_definition(definition.name, definition.version)
                package = None if self._folder(definition).exists() else read_package(definition)
            if package is not None:
                _extract(package, self._folder(definition), self._unpacked)
        return self._folder(definition), definition

    def _folder(self, definition):
        return self._root / "task" / definition.name / definition.digest[:16]


def _extract(package, folder, unpacked):
    """As Lambda does it: modes and times are the package's own.

    Time matters: compiled files are checked against it.

    A file that another function has just so, by its name, content, mode and time, is linked: nobody writes
    into these folders, and most of eleven packages is the same. ``unpacked`` is what there is of such files.
    """
    growing = folder.with_name(folder.name + ".part")
    growing.mkdir(parents=True)
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        for entry in archive.infolist():
            same = entry.filename, entry.CRC, entry.file_size, entry.external_attr, entry.date_time
            target = growing / entry.filename
            if (there := unpacked.get(same)) and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.hardlink_to(there)
                continue
            if target.is_file():
                # Of a name that is in the package twice the last one counts, and the first may be another
                # function's, too.
                target.unlink()
            archive.extract(entry, growing)
            if not entry.is_dir():
                _restore(target, entry)
            if target.is_file():
                unpacked[same] = folder / entry.filename
    growing.rename(folder)


def _restore(file, entry):
    mode = (entry.external_attr >> 16) & 0o777
    if mode and not mode & READABLE_BY_ALL:
        file.unlink()
        return
    file.chmod(mode or 0o644)
    changed = datetime(*entry.date_time, tzinfo=UTC).timestamp()
    os.utime(file, (changed, changed))
