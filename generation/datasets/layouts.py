"""The data sets that can be imported, by name; the web process reads this much of them."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A data set as people know it.

    ``is_derived`` where its pictures were taken from another data set: where a picture is in
    both, the other's split holds.
    """

    title: str
    usage: str
    is_derived: bool = False


LAYOUTS = {
    "nih": Layout(title="NIH ChestX-ray14", usage="nih PATH"),
    "chexpert": Layout(title="CheXpert", usage="chexpert PATH"),
    "rsna": Layout(title="RSNA Pneumonia Detection", usage="rsna PATH", is_derived=True),
    "siim": Layout(title="SIIM-ACR Pneumothorax", usage="siim PATH", is_derived=True),
    "candid": Layout(title="CANDID-PTX", usage="candid PATH"),
    "mimic": Layout(
        title="MIMIC-CXR-JPG", usage="mimic PATH --chexmask FILE --demographics FOLDER"
    ),
    "openi": Layout(title="Open-I, Indiana University", usage="openi PATH"),
    "folder": Layout(title="A folder of your own", usage="folder PATH --name NAME"),
}
DERIVED = tuple(name for name, layout in LAYOUTS.items() if layout.is_derived)
