from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('studies', '0017_earlier_images_beside'),
    ]

    operations = [
        migrations.AddField(
            model_name='casetext',
            name='erased_sha256',
            field=models.CharField(blank=True, default='', editable=False, max_length=64),
            preserve_default=False,
        ),
    ]
