"""CheXmask's lungs end at the heart: they are a kind of their own from now on."""

from typing import Any

from django.db import migrations

WITH, WITHOUT = "lungs", "lungs_without_heart"


def rename(apps: Any, _: Any) -> None:
    """All masks that MIMIC's importer brought in are CheXmask's; pseudo-masks are not."""
    masks = apps.get_model("images", "Mask").objects.filter(
        kind=WITH, confidence=None, cohort_image__cohort__source="mimic"
    )
    masks.update(kind=WITHOUT)


class Migration(migrations.Migration):
    dependencies = [("images", "0008_relative_locations")]

    operations = [migrations.RunPython(rename, migrations.RunPython.noop)]
