"""What is packed for the processor that the stages name, which need not be this machine's."""

import json
import re
from zipfile import ZipFile

import pytest

from notifier.deploy.stack.targets import ELF_MACHINES, HEADER_BYTES, LINUX_64

from .deployer import HOUSE, Deployer

STAGES = json.loads((HOUSE / "zappa_settings.json").read_text())


@pytest.fixture
def packed(tmp_path, service):
    """``packed(stage)``: the package that `zappa package` makes of the project as it is."""
    deployer = Deployer(tmp_path, service.url, suited=False)

    def pack(stage):
        deployer.zappa("package", stage, "--output", f"{stage}.zip")
        return ZipFile(tmp_path / f"{stage}.zip")

    return pack


def test_the_stages_are_for_a_python_that_lives_on_the_cheaper_processor():
    assert (STAGES["production"]["runtime"], STAGES["production"]["architecture"]) == ("python3.13", "arm64")


def test_all_that_is_native_is_for_arm64_in_every_stages_package(packed):
    for stage in ("production", "production_chat"):
        with packed(stage) as archive:
            libraries = [name for name in archive.namelist() if re.search(r"\.so(\.\d+)*$", name)]
            assert len(libraries) > 10
            for name in libraries:
                header = archive.read(name)[:HEADER_BYTES]
                assert header.startswith(LINUX_64), name
                assert int.from_bytes(header[18:], "little") == ELF_MACHINES["aarch64"], name
            assert not [name for name in libraries if re.search(r"cpython-(?!313)|x86_64", name)]
