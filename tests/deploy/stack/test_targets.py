"""Which machine a package is for, and what of it would not run there."""

import pytest

from notifier.deploy.stack.targets import check_fit, target_of
from notifier.exceptions import ConfigurationError

SHARED, NONE = "lib/native.so", ""


def library(machine, *, start=b"\x7fELF\x02\x01"):
    return start.ljust(18, b"\0") + machine.to_bytes(2, "little")


AARCH64, X86_64, I386 = library(183), library(62), library(3, start=b"\x7fELF\x01\x01")
BIG_ENDIAN, MAC = library(183, start=b"\x7fELF\x02\x02"), library(0, start=b"\xcf\xfa\xed\xfe")
ARM = "manylinux_2_28_aarch64"


@pytest.mark.parametrize(
    ("runtime", "architecture", "platform"),
    [
        ("python3.11", "x86_64", "x86_64-manylinux_2_17"),  # Amazon Linux 2
        ("python3.12", "x86_64", "x86_64-manylinux_2_28"),  # Amazon Linux 2023
        ("python3.12", "arm64", "aarch64-manylinux_2_28"),
        ("python3.13", "x86_64", "x86_64-manylinux_2_28"),
        ("python3.13", "arm64", "aarch64-manylinux_2_28"),
        ("python3.14", "arm64", "aarch64-manylinux_2_28"),
    ],
)
def test_a_stages_runtime_and_architecture_are_a_platform_of_wheels(runtime, architecture, platform):
    target = target_of(runtime, architecture)
    assert target.platform == platform
    assert f"python{target.python}" == runtime


@pytest.mark.parametrize(
    ("runtime", "architecture", "words"),
    [
        ("python3.11", "arm64", 'no wheel on arm64.*"runtime": "python3.13", or "architecture": "x86_64"'),
        ("python3.10", "x86_64", "runtime is 'python3.10'.*python3.11, python3.12, python3.13, python3.14"),
        ("python3.15", "arm64", "runtime is 'python3.15'"),
        ("python3", "x86_64", "runtime is 'python3'"),
        ("3.13", "x86_64", "runtime is '3.13'"),
        ("nodejs22.x", "x86_64", "runtime is 'nodejs22.x'"),
        (None, "x86_64", "runtime is None"),
        ("python3.13", "aarch64", "architecture is 'aarch64'.*one of: x86_64, arm64"),  # a wheel's word
        ("python3.13", ["arm64"], "architecture is"),  # AWS's own form is a list
        ("python3.13", "", "architecture is ''"),
    ],
)
def test_what_lambda_has_not_or_has_no_wheels_for_is_refused(runtime, architecture, words):
    with pytest.raises(ConfigurationError, match=words):
        target_of(runtime, architecture)


def install(folder, *tags, file=SHARED, content=NONE, name="shop"):
    """A distribution, as installers leave it behind."""
    about = folder / f"{name}-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (about / "RECORD").write_text(f"{file},,\n{about.name}/METADATA,,\n" if content else "")
    if tags:
        (about / "WHEEL").write_text("Wheel-Version: 1.0\n" + "".join(f"Tag: {tag}\n" for tag in tags))
    if content:
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_bytes(content)


@pytest.mark.parametrize(
    ("tags", "file", "content"),
    [
        ([f"cp313-cp313-{ARM}"], SHARED, AARCH64),
        (["cp313-cp313-manylinux2014_aarch64"], SHARED, AARCH64),
        (["cp313-cp313-manylinux_2_17_aarch64.manylinux2014_aarch64"], SHARED, AARCH64),  # a name's own form
        (["cp313-cp313-manylinux_2_17_aarch64", "cp313-cp313-manylinux_2_34_aarch64"], SHARED, AARCH64),
        ([f"cp39-abi3-{ARM}"], SHARED, AARCH64),  # for this Python and all later ones
        ([f"py3-none-{ARM}"], "lib/libpq.so.5.16", AARCH64),  # a library, and no extension
        (["py3-none-any"], SHARED, NONE),  # Python alone, also where it was built here
        (["py2-none-any", "py3-none-any"], SHARED, NONE),
        (["py3-none-any"], "lib/notes.so.txt", b"no library"),
    ],
)
def test_what_runs_there_is_let_through(tmp_path, tags, file, content):
    install(tmp_path, *tags, file=file, content=content)
    check_fit(tmp_path, target_of("python3.13", "arm64"))


@pytest.mark.parametrize(
    ("tags", "content", "words"),
    [
        # Built on the machine that packages: its own C library, or another system's
        (
            ["cp313-cp313-linux_aarch64"],
            AARCH64,
            "it is cp313-cp313-linux_aarch64, which python3.13 on aarch64",
        ),
        (["cp311-cp311-linux_x86_64"], X86_64, "it is cp311-cp311-linux_x86_64"),
        (["cp313-cp313-macosx_14_0_arm64"], MAC, "it is cp313-cp313-macosx_14_0_arm64"),
        (["cp313-cp313-win_arm64"], NONE, "it is cp313-cp313-win_arm64"),
        # Wheels, for another processor, C library or Python
        (["cp313-cp313-manylinux_2_28_x86_64"], X86_64, "it is cp313-cp313-manylinux_2_28_x86_64"),
        (["cp313-cp313-manylinux_2_34_aarch64"], AARCH64, "manylinux_2_34_aarch64"),
        (["cp313-cp313-musllinux_1_2_aarch64"], AARCH64, "musllinux_1_2_aarch64"),
        ([f"cp311-cp311-{ARM}"], AARCH64, "it is cp311-cp311"),
        ([f"cp313-cp313t-{ARM}"], AARCH64, "it is cp313-cp313t"),
        ([f"cp314-abi3-{ARM}"], AARCH64, "it is cp314-abi3"),
        # A name that promises what is not in it
        ([f"cp313-cp313-{ARM}"], X86_64, "lib/native.so is for x86_64"),
        ([f"cp313-cp313-{ARM}"], library(40), "lib/native.so is for machine 40"),
        ([f"cp313-cp313-{ARM}"], I386, "lib/native.so is no 64-bit library of Linux"),
        ([f"cp313-cp313-{ARM}"], BIG_ENDIAN, "lib/native.so is no 64-bit library of Linux"),
        ([f"cp313-cp313-{ARM}"], MAC, "lib/native.so is no 64-bit library of Linux"),
        ([f"cp313-cp313-{ARM}"], b"\x7fELF\x02\x01", "lib/native.so is no 64-bit library of Linux"),
        (["py3-none-any"], X86_64, "lib/native.so is for x86_64"),
        ([], NONE, "it is no wheel"),
    ],
)
def test_what_would_not_run_there_is_named_with_what_to_do(tmp_path, tags, content, words):
    install(tmp_path, "py3-none-any", name="innocent")
    install(tmp_path, *tags, content=content)
    with pytest.raises(ConfigurationError, match=f"shop 1.0: .*{words}") as refused:
        check_fit(tmp_path, target_of("python3.13", "arm64"))
    assert "Pin versions that have a wheel for it" in str(refused.value)
    assert "innocent" not in str(refused.value)
