"""Static files from the package: hashed and compressed by ``collectstatic``, served by WhiteNoise."""

from django.conf import settings
from django.contrib.staticfiles.storage import StaticFilesStorage, staticfiles_storage
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.storage import CompressedManifestStaticFilesStorage


class PackagedFilesStorage(CompressedManifestStaticFilesStorage):
    """Hashed names on Lambda only; elsewhere pages work without ``collectstatic``, which hashes and
    compresses everywhere.
    """

    def url(self, name, force=False):
        return super().url(name, force) if settings.ON_LAMBDA else StaticFilesStorage.url(self, name)


class PackagedFilesMiddleware(WhiteNoiseMiddleware):
    """WhiteNoise that knows its files from the manifest and looks at one when it is first asked for, not at
    all at a cold start.

    All are hashed, so a browser keeps them for ever. What the manifest does not name is not served.
    """

    def add_files(self, root, prefix=None):
        """Nothing is looked at yet."""
        self._names = frozenset(staticfiles_storage.hashed_files.values())

    def __call__(self, request):
        url = request.path_info
        if url.startswith(self.static_prefix) and url not in self.files:
            name = url.removeprefix(self.static_prefix)
            if name in self._names:
                self.files[url] = self.get_static_file(str(settings.STATIC_ROOT / name), url)
        return super().__call__(request)

    def immutable_file_test(self, path, url):
        """Tell whether the content never changes under this URL."""
        return True
