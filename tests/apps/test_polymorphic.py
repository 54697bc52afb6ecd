"""django-polymorphic: a base and its child."""

from notifier.testing import capture_notifications
from tests.apps.shop.models import ArtProject, Project

APP = "django-polymorphic"


def test_a_base_hears_of_its_children_and_a_child_of_itself_each_once(recipe, make_user):
    make_user("bea", group="Board")

    with capture_notifications() as sent:
        Project.objects.create(topic="Roof")
        ArtProject.objects.create(topic="Wall", artist="Mo")
        Project.objects.get(topic="Wall").save()

    assert sorted(message.subject for message in sent) == [
        "A new project: Roof",
        "A new project: Wall",
        "Art: Mo",
    ]
