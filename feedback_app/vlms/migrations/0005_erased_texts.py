from django.db import migrations, models

from feedback_app.append_only import allow_erasure


class Migration(migrations.Migration):

    dependencies = [
        ('vlms', '0004_vlm_gates'),
    ]

    operations = [
        migrations.AddField(
            model_name='reportsnapshot',
            name='erased_sha256',
            field=models.CharField(blank=True, default='', editable=False, max_length=64),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='instructionset',
            name='erased_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        allow_erasure("vlms", table="reportsnapshot", fields=("blob_id", "erased_sha256")),
        allow_erasure("vlms", table="vlmverdict", fields=("report",)),
    ]
