"""Masks and judges of gates; they too can be added, never changed.

Who judged the gates that there are already is told by their rules and studies.
"""

import django.db.models.deletion
from django.db import migrations, models

from feedback_app.append_only import refuse_changes

BY_REWARD_MODEL = "The reward model "
BY_PEOPLE = "The blind comparison by people "
PREFERS = " prefers the child"


def name_judges(apps, schema_editor):
    GateJudge = apps.get_model("finetuning", "GateJudge")
    GateRule = apps.get_model("finetuning", "GateRule")
    GateStudy = apps.get_model("finetuning", "GateStudy")
    Scorer = apps.get_model("images", "Scorer")
    for rule in GateRule.objects.filter(name="win_rate").select_related("verdict__gate"):
        verdict, sentence = rule.verdict, rule.sentence
        gate = verdict.gate
        scorer = study = None
        if sentence.startswith(BY_REWARD_MODEL):
            name = sentence.removeprefix(BY_REWARD_MODEL).partition(PREFERS)[0]
            scorer = Scorer.objects.filter(name=name).first()
        elif sentence.startswith(BY_PEOPLE):
            asked = GateStudy.objects.filter(
                gate__child=gate.child_id,
                gate__parent=gate.parent_id,
                study__created_at__lte=verdict.created_at,
            )
            newest = asked.order_by("-pk").first()
            study = newest.study if newest else None
        if scorer or study:
            GateJudge.objects.create(verdict=verdict, scorer=scorer, study=study)


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
        migrations.CreateModel(
            name='GateJudge',
            fields=[
                ('verdict', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='judge', serialize=False, to='finetuning.gateverdict')),
                ('scorer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='images.scorer')),
                ('study', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='studies.study')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('scorer__isnull', False), ('study__isnull', True)), models.Q(('scorer__isnull', True), ('study__isnull', False)), _connector='OR'), name='a_judge_is_a_reward_model_or_a_study')],
            },
        ),
        refuse_changes("finetuning", tables=("gatemasks", "gatejudge")),
        migrations.RunPython(name_judges, migrations.RunPython.noop),
    ]
