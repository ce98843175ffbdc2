"""Gates with their verdicts, the studies about them, and schedules that promote."""

import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models



class Migration(migrations.Migration):

    dependencies = [
        ('finetuning', '0003_methods_and_ratings'),
        ('images', '0004_promotions'),
        ('runs', '0002_run_crashes'),
        ('studies', '0003_studies_training_images'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Gate',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('spec', models.JSONField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('child', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='gates', to='images.modelversion')),
                ('child_batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='gates_of_child', to='images.batch')),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('parent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='gates_as_parent', to='images.modelversion')),
                ('parent_batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='gates_of_parent', to='images.batch')),
                ('run', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='gate', to='runs.run')),
            ],
            options={
                'ordering': ['-created_at'],
            },
        ),
        migrations.AddField(
            model_name='schedule',
            name='promotes_by_itself',
            field=models.BooleanField(default=False),
        ),
        migrations.CreateModel(
            name='GateStudy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('gate', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='people', to='finetuning.gate')),
                ('study', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='gate', to='studies.study')),
            ],
        ),
        migrations.CreateModel(
            name='GateVerdict',
            fields=[
                ('gate', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='verdict', serialize=False, to='finetuning.gate')),
                ('decision', models.CharField(choices=[('promote', 'promote'), ('hold', 'hold')], max_length=8)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('report', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='images.blob')),
            ],
        ),
        migrations.CreateModel(
            name='GateRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('name', models.CharField(max_length=32)),
                ('label', models.CharField(max_length=64)),
                ('outcome', models.CharField(choices=[('passed', 'passed'), ('failed', 'failed'), ('missing', 'could not be told')], max_length=8)),
                ('sentence', models.TextField()),
                ('value', models.FloatField(null=True)),
                ('low', models.FloatField(null=True)),
                ('high', models.FloatField(null=True)),
                ('limit', models.FloatField(null=True)),
                ('verdict', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rules', to='finetuning.gateverdict')),
            ],
            options={
                'ordering': ['position'],
                'constraints': [models.UniqueConstraint(fields=('verdict', 'name'), name='one_rule_a_verdict_and_name')],
            },
        ),
    ]
