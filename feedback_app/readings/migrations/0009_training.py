"""What readers answer while they are trained."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models

from feedback_app.append_only import refuse_changes


class Migration(migrations.Migration):

    dependencies = [
        ('readings', '0008_retractions_in_one_study'),
        ('studies', '0011_calibration'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='TrainingSlot',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('round', models.PositiveSmallIntegerField()),
                ('position', models.PositiveSmallIntegerField()),
                ('image_order', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(), size=None)),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='slots', to='studies.trainingcase')),
                ('reader', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='training_slots', to=settings.AUTH_USER_MODEL)),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='training_slots', to='studies.study')),
            ],
            options={
                'ordering': ['round', 'position'],
            },
        ),
        migrations.CreateModel(
            name='TrainingAnswer',
            fields=[
                ('slot', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='answer', serialize=False, to='readings.trainingslot')),
                ('idempotency_key', models.UUIDField(unique=True)),
                ('content', models.JSONField()),
                ('asked', models.PositiveSmallIntegerField()),
                ('right', models.PositiveSmallIntegerField()),
                ('active_ms', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('right__lte', models.F('asked'))), name='no_more_is_right_than_was_asked')],
            },
        ),
        migrations.AddConstraint(
            model_name='trainingslot',
            constraint=models.UniqueConstraint(fields=('case', 'reader', 'round'), name='a_training_case_once_a_round'),
        ),
        refuse_changes("readings", tables=("traininganswer",)),
    ]
