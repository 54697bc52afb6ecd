"""Settings of the deployed project, from the environment.

Without any, it runs on this machine with SQLite. On Lambda, and on a server of one's own (``ALLOWED_HOSTS``
names another machine), what is missing is said at the start.
"""

import datetime as dt
from pathlib import Path

import django

from notifier import theme
from notifier.deploy.environment import (
    LOCAL,
    ON_LAMBDA,
    PRODUCTION,
    SERVES_PAGES,
    configuration,
    filled,
    locally,
    machine_key,
    mail_address,
)

BASE_DIR = Path(__file__).resolve().parent.parent

LOCAL_URL = "http://localhost:8000" if LOCAL else ""

with configuration() as env:
    SECRET_KEY = env.key("SECRET_KEY", machine_key(BASE_DIR / ".cache" / "secret-key"))
    # Old ones, with which links in mails and sessions go on: docs/deploy.md.
    SECRET_KEY_FALLBACKS = env.keys("SECRET_KEY_FALLBACKS", [])
    DEBUG = LOCAL and env.bool("DEBUG", False)
    DATABASES = {"default": env.database("DATABASE_URL", locally(f"sqlite:///{BASE_DIR / 'db.sqlite3'}"))}
    DOMAINS = env.hosts("ALLOWED_HOSTS", [] if ON_LAMBDA else ["localhost", "127.0.0.1"])
    BASE_URL = env.str(
        "BASE_URL", f"https://{DOMAINS[0].lstrip('.')}" if DOMAINS and not LOCAL else LOCAL_URL
    )
    DEFAULT_FROM_EMAIL = env.str(
        "DEFAULT_FROM_EMAIL", locally("Notifier <notifier@example.com>"), validate=mail_address
    )
    TOPIC_ARN = env.str("NOTIFIER_TOPIC_ARN", locally(""), validate=None if LOCAL else filled)
    # Zappa tells its name to the web function alone; `notifier.deploy.stack` tells it to all.
    STAGE = env.str("STAGE", "")
    DELIVER_ONLY_TO = env.allow_list("DELIVER_ONLY_TO", None if STAGE in PRODUCTION or LOCAL else [])
    CONFIGURATION_SET = env.str("SES_CONFIGURATION_SET", "")
    FEEDBACK_TOPIC_ARN = env.str("FEEDBACK_TOPIC_ARN", "")
    SMS_DRIVER = env.str("SMS_DRIVER", "")
    LOG_LEVEL = env.log_level("LOG_LEVEL", "INFO" if ON_LAMBDA else "WARNING")
    REGION = env.str("AWS_REGION", env.str("AWS_DEFAULT_REGION", ""))

INSTALLED_APPS = [
    # Before the admin, whose templates it replaces.
    "unfold",
    # A queue's function has its models, and reads its pages only where it makes a link.
    f"django.contrib.admin{'' if SERVES_PAGES else '.apps.SimpleAdminConfig'}",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    # As an app it only checks settings.
    *(["anymail"] if SERVES_PAGES else []),
    "axes",
    "notifier",
    "notifier.deploy",
    "project.users",
    # The worked example. Take it out of your own project.
    "project.demo",
]
if LOCAL:
    INSTALLED_APPS += ["notifier.local"]

MIDDLEWARE = [
    "notifier.page_headers.SiteHeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    *(["notifier.deploy.static.PackagedFilesMiddleware"] if ON_LAMBDA else []),
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "project.sign_in.SignInFirstMiddleware",
    # Who is signed in is the actor of what the request does.
    "notifier.events.actors.ActorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # The demo's folder holds the flash sale's template, which a content in the admin can name.
        "DIRS": [BASE_DIR / "project" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Readers do not wait for the writer, and two writers wait for each other instead of failing half-way.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
    }
# A rule in the admin, and the events of a request, are saved whole or not at all.
DATABASES["default"]["ATOMIC_REQUESTS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Any function URL of the region would do as a host, but `notifier.deploy.web` lets only the one through that
# AWS was asked by. An origin of a form is another matter: everybody can have a function URL, so only the
# domains are trusted.
ALLOWED_HOSTS = [*DOMAINS, f".lambda-url.{REGION}.on.aws"] if ON_LAMBDA else DOMAINS
CSRF_TRUSTED_ORIGINS = [f"https://{'*' * host.startswith('.')}{host}" for host in DOMAINS if not LOCAL]
# Zappa calls every request one by HTTPS, as AWS takes no other: none is redirected. Behind a proxy the server
# (uvicorn, gunicorn) says it, from the header of a proxy that it was told to trust; Django asks none.
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not LOCAL
SECURE_HSTS_SECONDS = 0 if LOCAL else 365 * 24 * 3600
# This function speaks for its own host, not for the subdomains of a domain that others use too.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# Guessing a password: five attempts a user and network, then a pause; `project.sign_in` has the limits by
# each of them alone. `manage.py axes_reset_username NAME` ends it at once.
AXES_FAILURE_LIMIT, AXES_COOLOFF_TIME = 5, dt.timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_HANDLER, AXES_CLIENT_IP_CALLABLE = "project.sign_in.Handler", "project.sign_in.network_of"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "csrfmiddlewaretoken"]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_CALLABLE = "project.look.locked_out"
# Its rows hold what was sent with a guess: neither this, nor a link that led there.
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "csrfmiddlewaretoken", "next", "token"]
# No row a sign-in, no user in a log line.
AXES_DISABLE_ACCESS_LOG, AXES_VERBOSE = True, False

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "notifier.deploy.static.PackagedFilesStorage"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": "anymail.backends.amazon_ses.EmailBackend"}}
else:
    EMAIL_BACKEND = "anymail.backends.amazon_ses.EmailBackend"
ANYMAIL = {"AMAZON_SES_CONFIGURATION_SET_NAME": CONFIGURATION_SET or None}
NOTIFIER = {
    "TOPIC_ARN": TOPIC_ARN,
    "BASE_URL": BASE_URL,
    "FEEDBACK_TOPIC_ARN": FEEDBACK_TOPIC_ARN,
    "ADDRESSES": {"email": "email", "sms": "profile.phone"},
    "STAGE": STAGE,
    "DELIVER_ONLY_TO": DELIVER_ONLY_TO,
}

# The admin's look; without this line it keeps unfold's own colours and sidebar.
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
UNFOLD = theme.UNFOLD | {"ENVIRONMENT": "project.look.stage"}

FORMATTER = "lambdas._json_log.JsonFormatter" if ON_LAMBDA else "notifier.log_secrets.LineFormatter"
SPEAKING_FOR_THEMSELVES = (
    *("django", "django.server", "uvicorn", "uvicorn.error", "uvicorn.access"),
    *("gunicorn.error", "gunicorn.access"),
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": FORMATTER}},
    "handlers": {
        "out": {
            "class": "logging.StreamHandler",
            "stream": f"ext://sys.{'stdout' if ON_LAMBDA else 'stderr'}",
            "formatter": "line",
        }
    },
    "root": {"handlers": ["out"], "level": LOG_LEVEL},
    # Of those that bring handlers of their own, which would write links' tokens: theirs are left out.
    "loggers": {name: {"handlers": [], "propagate": True} for name in SPEAKING_FOR_THEMSELVES}
    # Zappa's line has the client's address and what was searched for; at DEBUG the others write their
    # requests down.
    | {name: {"level": "WARNING"} for name in ("zappa.wsgi", "axes", "botocore", "urllib3") if ON_LAMBDA},
}
