from django.db import migrations, models


class Migration(migrations.Migration):
    # A column without a default: PostgreSQL writes no row anew, and functions of the release before leave it
    # out.

    dependencies = [("notifier", "0009_rules_in_code")]

    operations = [migrations.AddField("event", "causes", models.JSONField(null=True))]
