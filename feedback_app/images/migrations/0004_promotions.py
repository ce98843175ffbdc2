"""Which version was promoted when; what was promoted before is the first entry."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


def begin_history(apps, schema_editor):
    Promotion = apps.get_model("images", "Promotion")
    for version in apps.get_model("images", "ModelVersion").objects.filter(is_promoted=True):
        Promotion.objects.create(version=version, kind="first")


class Migration(migrations.Migration):

    dependencies = [
        ('images', '0003_scorers_and_pseudo_masks'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Promotion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('first', 'Was there first'), ('by hand', 'Promoted'), ('by gate', 'Promoted after its gate said so'), ('overruled', 'Promoted although no gate said so'), ('back', 'Gone back to')], max_length=16)),
                ('reason', models.TextField(blank=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='promotions', to='images.modelversion')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.RunPython(begin_history, migrations.RunPython.noop),
    ]
