from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('experiments', '0002_own_generators'),
    ]

    operations = [
        migrations.AddField(
            model_name='owngenerator',
            name='erased_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
