from django.db import migrations, models

from feedback_app.append_only import allow_erasure


class Migration(migrations.Migration):

    dependencies = [
        ('readings', '0011_flags_of_comments'),
    ]

    operations = [
        migrations.AddField(
            model_name='writtenreport',
            name='erased_sha256',
            field=models.CharField(blank=True, default='', editable=False, max_length=64),
            preserve_default=False,
        ),
        allow_erasure("readings", table="writtenreport", fields=("text", "erased_sha256")),
        allow_erasure("readings", table="traininganswer", fields=("content",)),
    ]
