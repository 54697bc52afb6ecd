"""The machine that a package is for, and whether what was installed runs on it."""

import re
from dataclasses import dataclass
from email.parser import HeaderParser
from importlib.metadata import distributions

from packaging.tags import compatible_tags, cpython_tags, parse_tag

from notifier.exceptions import ConfigurationError

# The newest `manylinux_2_…` that a runtime loads. 3.11 runs on Amazon Linux 2 (glibc 2.26), the later ones on
# 2023 (2.34): https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
# https://docs.aws.amazon.com/linux/al2023/ug/compare-with-al2.html
NEWEST_MANYLINUX = {"python3.11": 17, "python3.12": 28, "python3.13": 28, "python3.14": 28}
OLDEST_MANYLINUX = 5
# https://peps.python.org/pep-0600/#legacy-manylinux-tags
LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
# Lambda's names for processors, and those of wheels: the stage's `architecture`.
PROCESSORS = {"x86_64": "x86_64", "arm64": "aarch64"}
# How a library begins (64 bits, little-endian), and its field e_machine:
# https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
LINUX_64 = b"\x7fELF\x02\x01"
ELF_MACHINES = {"x86_64": 62, "aarch64": 183}
HEADER_BYTES = 20
NATIVE = re.compile(r"\.so(\.\d+)*$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """``python`` is its version (``3.13``), ``processor`` as wheels name it, ``manylinux`` the newest minor
    version of the C library that a wheel may ask for.
    """

    python: str
    processor: str
    manylinux: int

    def __str__(self):
        return f"python{self.python} on {self.processor}"

    @property
    def platform(self):
        """As uv names it."""
        return f"{self.processor}-manylinux_2_{self.manylinux}"

    @property
    def tags(self):
        """Those of the wheels that it runs; what was built on a machine has none of them, unless it is
        Python alone.
        """
        version = tuple(map(int, self.python.split(".")))
        interpreter = f"cp{self.python.replace('.', '')}"
        known = range(self.manylinux, OLDEST_MANYLINUX - 1, -1)
        names = [name for each in known for name in (f"manylinux_2_{each}", LEGACY.get(each)) if name]
        platforms = [f"{name}_{self.processor}" for name in names]
        return {
            *cpython_tags(version, abis=[interpreter], platforms=platforms),
            *compatible_tags(version, interpreter=interpreter, platforms=platforms),
        }


def target_of(runtime, architecture):
    """The Target of a stage's ``runtime`` (``python3.13``) and ``architecture`` (``arm64``).

    Raises ConfigurationError where Lambda has none such, or not for the packages that are needed here.
    """
    for name, value, known in (
        ("runtime", runtime, NEWEST_MANYLINUX),
        ("architecture", architecture, PROCESSORS),
    ):
        if not isinstance(value, str) or value not in known:
            raise ConfigurationError(
                f"{name} is {value!r} in zappa_settings.json. It can be one of: {', '.join(known)}."
            )
    target = Target(
        python=runtime.removeprefix("python"),
        processor=PROCESSORS[architecture],
        manylinux=NEWEST_MANYLINUX[runtime],
    )
    if target.processor == "aarch64" and target.manylinux < 28:
        raise ConfigurationError(
            f"{runtime} runs on Amazon Linux 2, for which psycopg and others have no wheel on arm64. "
            'In zappa_settings.json, write "runtime": "python3.13", or "architecture": "x86_64".'
        )
    return target


def check_fit(folder, target):
    """Raise ConfigurationError where something that is installed in ``folder`` would not run on ``target``: a
    package that was built here instead of taken as a wheel, or a library for another processor.

    On Lambda it would be an ImportModuleError, at the first message.
    """
    tags, misfits = target.tags, []
    for found in sorted(distributions(path=[str(folder)]), key=lambda each: each.name.lower()):
        named = HeaderParser().parsestr(found.read_text("WHEEL") or "").get_all("Tag", [])
        reasons = [reason for file in found.files or () if (reason := _misfit(found, file, target))]
        if not tags & {tag for name in named for tag in parse_tag(name)}:
            reasons.insert(0, f"it is {' '.join(named) or 'no wheel'}, which {target} does not load")
        misfits += [f"{found.name} {found.version}: {reasons[0]}"] if reasons else []
    if misfits:
        raise ConfigurationError(
            f"These packages do not run on Lambda's {target}:\n  "
            + "\n  ".join(misfits)
            + "\nPin versions that have a wheel for it, or change `architecture` or `runtime` in "
            "zappa_settings.json."
        )


def _misfit(distribution, file, target):
    """What is wrong with a native library, "" if it is none or nothing is."""
    path = distribution.locate_file(file)
    if not NATIVE.search(file.name) or not path.is_file():
        return ""
    with open(path, "rb") as library:
        header = library.read(HEADER_BYTES)
    if not header.startswith(LINUX_64) or len(header) < HEADER_BYTES:
        return f"{file} is no 64-bit library of Linux"
    machine = int.from_bytes(header[18:], "little")
    if machine != ELF_MACHINES[target.processor]:
        other = next(
            (name for name, number in ELF_MACHINES.items() if number == machine), f"machine {machine}"
        )
        return f"{file} is for {other}"
    return ""
