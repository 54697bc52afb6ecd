from django.db import migrations, models

CHOICES = [(0, "urgent"), (1, "normal"), (2, "bulk")]


def lane(**options):
    return models.PositiveSmallIntegerField("lane", choices=CHOICES, **options)


class Migration(migrations.Migration):
    # The database has the default as well: functions of the release before leave the column out.

    dependencies = [("notifier", "0010_chains")]

    operations = [
        migrations.AddField(
            "category",
            "lane",
            lane(
                default=1,
                db_default=1,
                help_text="What goes first when there is more than can be sent at once. Urgent is what somebody "
                "waits for: a code, a new password, a warning. Bulk may take hours. What goes to very many "
                "people is bulk by itself, whatever is chosen here.",
            ),
        ),
        migrations.AddField("delivery", "lane", lane(default=1, db_default=1)),
        migrations.AddField("event", "lane", lane(default=1, db_default=1)),
        migrations.AddField("trigger", "lane", lane(
                null=True,
                blank=True,
                help_text="What goes first when there is more than can be sent at once. Left blank, as its "
                "category has it. What goes to very many people is bulk by itself, whatever is chosen here.",
            )),
        *(
            migrations.AddField("rate", name, models.FloatField(default=0, db_default=0))
            for name in (
                "urgent_line_until",
                "bulk_line_until",
                "urgent_share_until",
                "share_until",
                "bulk_share_until",
            )
        ),
        *(
            operation
            for model in ("event", "delivery")
            for operation in (
                migrations.RemoveIndex(model, f"notifier_{model}_due"),
                migrations.AddIndex(
                    model,
                    models.Index(
                        fields=["lane", "due_at"],
                        condition=models.Q(due_at__isnull=False),
                        name=f"notifier_{model}_due_by_lane",
                    ),
                ),
            )
        ),
        migrations.AddField("delivery", "wanted_at", models.DateTimeField(null=True)),
        migrations.CreateModel(
            "LaneCount",
            [
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("hour", models.DateTimeField()),
                ("lane", models.PositiveSmallIntegerField(choices=CHOICES)),
                ("within_seconds", models.PositiveIntegerField()),
                ("number", models.PositiveIntegerField(default=0)),
            ],
            {
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("hour", "lane", "within_seconds"), name="notifier_one_lane_count_an_hour"
                    )
                ],
            },
        ),
    ]
