"""The ASGI application, for a server of one's own: there the inbox's stream stays open.

Lambda is served by ``project.wsgi``.
"""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
application = get_asgi_application()
