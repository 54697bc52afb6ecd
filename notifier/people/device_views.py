"""Views by which an app tells its device's token: ``POST devices/`` and ``POST devices/<id>/remove/``."""

from functools import wraps

from django.http import HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from .devices import UnusableDevice, register_device, remove_device


def _signed_in(view):
    @wraps(view)
    def signed_in(request, *args, **options):
        if not request.user.is_authenticated:
            # An app has no use for a page to sign in on.
            return JsonResponse({"error": "Sign in first."}, status=401)
        return view(request, *args, **options)

    return never_cache(require_POST(signed_in))


@_signed_in
def register(request):
    """``platform`` and ``token``, as a form. 201 with the device's id, also for one that is there already."""
    try:
        device = register_device(
            request.user, platform=request.POST.get("platform", ""), token=request.POST.get("token", "")
        )
    except UnusableDevice as error:
        return JsonResponse({"error": str(error)}, status=400)
    return JsonResponse({"id": device.pk, "platform": device.platform}, status=201)


@_signed_in
def remove(request, pk):
    """204; 404 for what is not this user's."""
    found = remove_device(request.user, pk)
    return (
        HttpResponse(status=204) if found else JsonResponse({"error": "You have no such device."}, status=404)
    )
