"""By which backend a project of either version of Django sends its mail."""

from django import VERSION

SES = "anymail.backends.amazon_ses.EmailBackend"


def mail_by(backend):
    """The settings, by their names: ``override_settings(**mail_by(path))``."""
    return {"MAILERS": {"default": {"BACKEND": backend}}} if VERSION >= (6, 1) else {"EMAIL_BACKEND": backend}
