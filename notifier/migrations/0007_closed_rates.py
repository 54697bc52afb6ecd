from django.db import migrations, models


class Migration(migrations.Migration):
    # Two columns without a default: no row is written anew, on PostgreSQL nor on SQLite.

    dependencies = [("notifier", "0006_spellings")]

    operations = [
        migrations.AddField(
            model_name="rate", name="closed_until", field=models.FloatField(null=True)
        ),
        migrations.AddField(
            model_name="rate", name="closed_by", field=models.BigIntegerField(null=True)
        ),
    ]
