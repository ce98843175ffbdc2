"""The images of a gate that follow held-out masks; they too can be added, never changed."""

import django.db.models.deletion
from django.db import migrations, models

from feedback_app.append_only import refuse_changes


class Migration(migrations.Migration):

    dependencies = [
        ('finetuning', '0006_replacements'),
        ('images', '0006_prompt_sets'),
    ]

    operations = [
        migrations.CreateModel(
            name='GateMasks',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mode', models.CharField(choices=[('t2i', 'Text only'), ('m2i', 'Masks only'), ('tm2i', 'Text and masks')], max_length=8)),
                ('child_batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='images.batch')),
                ('gate', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='masked', to='finetuning.gate')),
                ('parent_batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='images.batch')),
            ],
            options={
                'ordering': ['pk'],
                'constraints': [models.UniqueConstraint(fields=('gate', 'mode'), name='one_set_of_masks_a_gate_and_mode')],
            },
        ),
        refuse_changes("finetuning", tables=("gatemasks",)),
    ]
