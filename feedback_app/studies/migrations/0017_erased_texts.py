from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('studies', '0016_known_answers_of_reports'),
    ]

    operations = [
        migrations.AddField(
            model_name='casetext',
            name='erased_sha256',
            field=models.CharField(blank=True, default='', editable=False, max_length=64),
            preserve_default=False,
        ),
    ]
