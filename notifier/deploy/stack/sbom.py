"""The software bill of materials of a package: every library that is in it, with version and licence.

CycloneDX, which tools that look for known advisories read: https://cyclonedx.org/specification/overview/
"""

from importlib.metadata import distributions

from notifier.exceptions import ConfigurationError

NAME = "sbom.cdx.json"
CLASSIFIER = "License :: "


def write_sbom(folder, *, installed):
    """Write ``folder / NAME`` about those of the libraries in the folder ``installed`` that are in
    ``folder``.

    Raises ConfigurationError without the library for it, which only who packages needs.
    """
    try:
        from cyclonedx.model.bom import Bom
        from cyclonedx.output.json import JsonV1Dot6
    except ImportError:
        raise ConfigurationError(
            "Packaging needs cyclonedx-python-lib, which writes down what the package holds: "
            "pip install cyclonedx-python-lib"
        ) from None
    packed = (each for each in distributions(path=[str(installed)]) if _is_packed(each, folder))
    found = sorted(packed, key=lambda each: each.name.lower())
    bom = Bom(components=map(_component, found))
    (folder / NAME).write_text(JsonV1Dot6(bom).output_as_string(indent=2), encoding="utf-8")


def licences_of(distribution):
    """The licences that the ``importlib.metadata.Distribution`` names, as a list: one SPDX expression, or
    words of its own.

    https://packaging.python.org/en/latest/specifications/core-metadata/#license-expression
    """
    metadata = distribution.metadata
    if expression := metadata.get("License-Expression"):
        return [expression]
    named = [each.rpartition(" :: ")[2] for each in metadata.get_all("Classifier", []) if _is_licence(each)]
    # Some put the whole text there.
    return named or [metadata.get("License", "").strip().partition("\n")[0]]


def _is_licence(classifier):
    return classifier.startswith(CLASSIFIER) and not classifier.endswith("OSI Approved")


def _is_packed(distribution, folder):
    """Whether more of it is there than its name: what a function does not need is taken out."""
    code = [each for each in distribution.files or () if ".dist-info" not in str(each)]
    return any((folder / each).exists() for each in code)


def _component(distribution):
    from cyclonedx.contrib.license.factories import LicenseFactory
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    make = LicenseFactory()
    name, version = distribution.name, distribution.version
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=version,
        purl=PackageURL("pypi", name=name.lower().replace("_", "-"), version=version),
        licenses=[make.make_from_string(each) for each in licences_of(distribution) if each],
    )
