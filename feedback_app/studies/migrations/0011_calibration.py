"""Guidelines with examples, and training cases with reference answers."""

import django.core.validators
import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('images', '0008_relative_locations'),
        ('studies', '0010_withdrawn_slots'),
    ]

    operations = [
        migrations.AddField(
            model_name='study',
            name='gold_teaches',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='study',
            name='guideline',
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name='study',
            name='training_count',
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='study',
            name='training_every',
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='study',
            name='training_pass_percent',
            field=models.PositiveSmallIntegerField(default=80, validators=[django.core.validators.MaxValueValidator(100)]),
        ),
        migrations.CreateModel(
            name='TrainingCase',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('position', models.PositiveIntegerField()),
                ('prompt', models.TextField(blank=True)),
                ('reason', models.TextField(max_length=2000)),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='training_cases', to='studies.study')),
            ],
            options={
                'ordering': ['position'],
            },
        ),
        migrations.CreateModel(
            name='TrainingImage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='case_images', to='studies.trainingcase')),
                ('image', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='images.image')),
            ],
            options={
                'ordering': ['position'],
            },
        ),
        migrations.AddField(
            model_name='trainingcase',
            name='images',
            field=models.ManyToManyField(related_name='+', through='studies.TrainingImage', to='images.image'),
        ),
        migrations.CreateModel(
            name='TrainingMask',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=32)),
                ('blob', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='images.blob')),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='masks', to='studies.trainingcase')),
            ],
        ),
        migrations.CreateModel(
            name='TrainingReference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('criterion', models.SlugField(max_length=32)),
                ('least', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('most', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='references', to='studies.trainingcase')),
                ('image', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='images.image')),
            ],
        ),
        migrations.CreateModel(
            name='GuidelineExample',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('criterion', models.SlugField(blank=True, max_length=32)),
                ('value', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('flag', models.SlugField(blank=True, max_length=32)),
                ('note', models.CharField(blank=True, max_length=300)),
                ('image', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='images.image')),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='examples', to='studies.study')),
            ],
            options={
                'ordering': ['criterion', 'value', 'flag', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('study', 'criterion', 'value', 'flag', 'image'), name='an_image_shows_a_thing_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(models.Q(('flag', ''), ('value__isnull', False), models.Q(('criterion', ''), _negated=True)), models.Q(('criterion', ''), ('value__isnull', True), models.Q(('flag', ''), _negated=True)), _connector='OR'), name='an_example_shows_a_score_or_a_flag')],
            },
        ),
        migrations.AddConstraint(
            model_name='trainingimage',
            constraint=models.UniqueConstraint(fields=('case', 'position'), name='one_image_a_training_position'),
        ),
        migrations.AddConstraint(
            model_name='trainingcase',
            constraint=models.UniqueConstraint(fields=('study', 'position'), name='one_training_case_a_position'),
        ),
        migrations.AddConstraint(
            model_name='trainingmask',
            constraint=models.UniqueConstraint(fields=('case', 'kind'), name='one_mask_a_training_case_and_kind'),
        ),
        migrations.AddConstraint(
            model_name='trainingreference',
            constraint=models.UniqueConstraint(fields=('case', 'criterion', 'image'), name='one_reference_a_question'),
        ),
        migrations.AddConstraint(
            model_name='trainingreference',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('least__isnull', True), ('most__isnull', True)), models.Q(('least__lte', models.F('most')), ('most__lte', 5)), _connector='OR'), name='a_reference_range_is_whole'),
        ),
    ]
