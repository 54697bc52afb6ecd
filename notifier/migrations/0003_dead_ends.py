from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifier", "0001_initial")]

    # Null without a default: no row is rewritten.
    operations = [
        migrations.AddField(
            model_name="event",
            name="dead_ends",
            field=models.JSONField(null=True),
        ),
    ]
