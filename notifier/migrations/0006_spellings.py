"""Addresses whose normal form has changed: the host of a URL, numbers after “00”, domains with a dot at the end."""

from django.db import migrations
from django.db.models import Q

from notifier.channels.recipient import Recipient, normalise

# Few rows are any of these; the others are not read.
CHANGED = ("__contains", "://"), ("__startswith", "00"), ("__startswith", "tel:00"), ("__endswith", ".")


def forward(apps, schema_editor):
    alias = schema_editor.connection.alias
    suppressions = apps.get_model("notifier", "Suppression").objects.using(alias)
    for row in suppressions.filter(_changed("address")):
        _rename(suppressions, row, "address", normalise(row.address), channel=row.channel)
    opt_outs = apps.get_model("notifier", "OptOut").objects.using(alias)
    for row in opt_outs.filter(_changed("recipient", "address:")):
        address = Recipient.parse(row.recipient).address
        same = {"category": row.category_id, "channel": row.channel}
        _rename(opt_outs, row, "recipient", str(Recipient.of_address(address)), **same)


def _changed(column, prefix=""):
    found = Q()
    for lookup, text in CHANGED:
        begins = prefix if lookup == "__startswith" else ""
        found |= Q(**{f"{column}{lookup}": f"{begins}{text}"})
    return found & Q(**{f"{column}__startswith": prefix})


def _rename(rows, row, column, name, **same):
    """Give ``row`` its new name; where there is one of that name it goes, as it says the same."""
    if name == getattr(row, column):
        return
    if rows.filter(**{column: name}, **same).exists():
        rows.filter(pk=row.pk).delete()
    else:
        rows.filter(pk=row.pk).update(**{column: name})


class Migration(migrations.Migration):
    dependencies = [("notifier", "0003_dead_ends")]

    operations = [migrations.RunPython(forward, migrations.RunPython.noop, elidable=True)]
