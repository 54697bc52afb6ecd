"""The WSGI application that Zappa's handler serves."""

import os

from django.core.wsgi import get_wsgi_application

from notifier.deploy.web import behind_lambda

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
application = behind_lambda(get_wsgi_application())
