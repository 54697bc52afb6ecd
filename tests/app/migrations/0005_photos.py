import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0003_relations")]

    operations = [
        migrations.CreateModel(
            name="Photo",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("title", models.CharField(max_length=50)),
                ("file", models.FileField(blank=True, upload_to="")),
                (
                    "parcel",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, to="shop.parcel"),
                ),
            ],
        ),
    ]
