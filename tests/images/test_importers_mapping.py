"""A table of one's own, read by a mapping."""

from pathlib import Path

import numpy as np
import pytest

from feedback_app.images.models import (
    CohortImage,
    Mask,
)
from feedback_app.runs.models import State
from generation.conditioning.findings import FINDINGS
from generation.datasets.parsed import MISSING
from generation.datasets.rle import encode_siim
from generation.datasets.sources import ImportOptions
from tests.generation.dicoms import write
from tests.images.cohort_folders import (
    gradient_png,
    import_folder,
    import_from,
    pixels_of,
    reasons,
)

pytestmark = pytest.mark.django_db


def test_a_table_of_ones_own_is_read_by_its_mapping(tmp_path: Path) -> None:
    files = {f"pictures/{name}.png": gradient_png(seed) for seed, name in enumerate("abc")}
    write(tmp_path, files)
    mask = np.zeros((64, 64), dtype=bool)
    mask[4:9, 30:50] = True
    (tmp_path / "table.csv").write_text(
        "name,pid,sex,age,eff,words,code\n"
        f"a.png,1,female,44,1,Edema;Device,{encode_siim(mask)}\n"
        "b.png,1,male,x,0,,-1\nc.png,2,,31,-1,Other,-1\nd.png,3,,31,,,\n"
    )
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        """
        table = "table.csv"
        images = "pictures"
        file = "name"
        patient = "pid"
        sex = "sex"
        age = "age"
        [findings]
        eff = "effusion"
        [labels]
        column = "words"
        separator = ";"
        [labels.names]
        Edema = "edema"
        Device = "support devices"
        [[masks]]
        kind = "pneumothorax"
        column = "code"
        width = 64
        height = 64
        """
    )
    run = import_from(tmp_path, "folder", mapping=mapping)
    assert run.result["added"] == {"images": 3, "masks": 1}
    assert reasons(run) == {
        ("image", MISSING): 1,
        ("label", "the age 'x' is not plausible"): 1,
        ("label", "the label 'Other' is not among the mapping's names"): 1,
    }
    first, second, third = CohortImage.objects.select_related("patient").order_by("source_id")
    assert first.findings == ["edema", "effusion", "support devices"]
    assert set(FINDINGS) - set(first.unknown_findings) == set(first.findings)
    assert "effusion" in third.unknown_findings and "effusion" not in second.unknown_findings
    assert first.patient == second.patient != third.patient
    assert (first.patient.sex, first.age_years) == ("F", 44)
    assert ((pixels_of(Mask.objects.get().blob) > 0) == mask).all()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("table = 'x.csv'", "file: Field required"),
        ("table = 'none.csv'\nfile = 'f'", "There is no"),
        ("table = 't.csv'\nfile = 'f'\n[findings]\nf = 'sneezing'", "'sneezing' is no finding"),
        ("table = 't.csv'\nfile = 'g'", "has no column 'g'"),
        ("table = 't.csv'\nfile = 'f'\ncolour = 'f'", "colour: Unexpected keyword"),
        ("not toml", "is no mapping that can be used"),
        ("table = 't.csv'\nfile = 'f'\n[[masks]]\nkind = 'lungs'", "needs a folder or a column"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_with_what_is_wrong(
    tmp_path: Path, text: str, reason: str
) -> None:
    (tmp_path / "t.csv").write_text("f\na.png\n")
    (tmp_path / "m.toml").write_text(text)
    run = import_folder(tmp_path, options=ImportOptions(mapping=tmp_path / "m.toml"))
    assert (run.state, reason in run.error) == (State.FAILED, True), run.error
