"""What of the libraries does not go to Lambda, or only to the functions that use it."""

import shutil

from .constants import declared

# Zappa's command line needs these, its handler none of them.
TOOLS = (
    ".lock",
    "pip",
    "setuptools",
    "_distutils_hack",
    "pkg_resources",
    "wheel",
    "troposphere",
    "cfn_*",
    "placebo",
    "tqdm",
    "argcomplete",
    "bin",
)
# What only a compiler or a translator reads.
SOURCES = ("*.po", "*.pyi", "*.pyx", "*.pxd", "*.pxi", "*.c", "*.h")
# Of botocore's four hundred services those that are called here; all of them would be a third of the package.
# Add the name of another here: without it boto3 raises UnknownServiceError.
AWS_SERVICES = {"cloudwatch", "pinpoint-sms-voice-v2", "ses", "sesv2", "sns", "sqs", "ssm", "sts"}
# Which files an installer has put there, for who uninstalls.
RECORDS = "*.dist-info/RECORD"
# What requests alone need: Zappa's handler, files for browsers, the admin's translations, rules as files.
WEBSITE = (
    *("durationpy*", "markupsafe", "werkzeug", "whitenoise", "yaml", "zappa"),
    *("django/contrib/admin/locale", "django/contrib/admin/templates", "unfold/locale", "unfold/templates"),
)
# What makes a mail's HTML, and text of it: for channels whose PARTS have it.
HTML = ("css_inline", "inscriptis", "lxml")


def slim(packages):
    """Take out of the folder what no function needs."""
    for pattern in TOOLS:
        for found in packages.glob(pattern):
            remove(found)
    for pattern in SOURCES:
        for found in list(packages.rglob(pattern)):
            remove(found)
    for service in (packages / "botocore" / "data").glob("*"):
        if service.is_dir() and service.name not in AWS_SERVICES:
            remove(service)
    # Browsers get what `collectstatic` took out of the person's own environment.
    for folder in list(packages.rglob("static")):
        if folder.is_dir() and not (folder / "__init__.py").exists():
            remove(folder)


def unneeded_by(function, functions):
    """What ``function`` needs nothing of, as patterns for Zappa's ``exclude_glob``: what only requests do,
    and what others of the deployment's ``functions`` say is theirs, by the constant LIBRARIES.
    """
    if not function.handler:
        return (RECORDS,)
    theirs = {library for each in functions for library in declared(each.handler, "LIBRARIES", ())}
    theirs -= {*declared(function.handler, "LIBRARIES", ())}
    html = () if "html" in declared(function.handler, "PARTS", ()) else HTML
    return RECORDS, *WEBSITE, *html, *sorted(theirs)


def remove(path):
    shutil.rmtree(path) if path.is_dir() else path.unlink()
