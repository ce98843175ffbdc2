"""The sources of instructions by name: title, licence, whether weights may ship, how to read."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from generation.datasets.parsed import Skip
from generation.vlm.instructions.records import Exam
from generation.vlm.instructions.sources import (
    chexpert,
    covid_qu,
    hannover,
    jsrt,
    kermany,
    masked,
    mimic,
    nih,
    nlm_tb,
    object_cxr,
    openi,
    padchest,
    rad_restruct,
    roco,
    rsna,
    texts,
    vindr,
    vqa,
    written,
)
from generation.vlm.instructions.sources.common import Folders


@dataclass(frozen=True, kw_only=True)
class SourceFacts:
    """``may_ship``: weights that learnt from it may be given away. ``needs``: other sources'
    folders that it is read with. ``is_derived``: its pictures were taken from other sources,
    whose patients lead where both are there.
    """

    title: str
    licence: str
    read: Callable[[Folders], Iterator[Exam | Skip]]
    may_ship: bool = False
    is_derived: bool = False
    needs: tuple[str, ...] = ()


CREDENTIALED = "PhysioNet Credentialed Health Data License 1.5.0"
CC_BY = "CC BY 4.0"
SOURCES = {
    "nih": SourceFacts(
        title="NIH ChestX-ray14",
        licence="free use with acknowledgement (NIH Clinical Center)",
        may_ship=True,
        read=nih.read,
    ),
    "chexpert": SourceFacts(
        title="CheXpert", licence="Stanford University Dataset Research Use", read=chexpert.read
    ),
    "mimic": SourceFacts(title="MIMIC-CXR", licence=CREDENTIALED, read=mimic.read),
    "padchest": SourceFacts(
        title="PadChest", licence="PadChest Dataset Research Use Agreement", read=padchest.read
    ),
    "vindr": SourceFacts(title="VinDr-CXR", licence=CREDENTIALED, read=vindr.read),
    "object_cxr": SourceFacts(
        title="Object-CXR", licence="challenge rules, non-commercial", read=object_cxr.read
    ),
    "openi": SourceFacts(
        title="Open-I, Indiana University",
        licence="free use with citation (Demner-Fushman et al. 2016)",
        may_ship=True,
        read=openi.read,
    ),
    "nlm_tb": SourceFacts(
        title="Montgomery and Shenzhen (NLM)",
        licence="for the research community, with citation (Jaeger et al. 2014)",
        may_ship=True,
        read=nlm_tb.read,
    ),
    "kermany": SourceFacts(
        title="Paediatric pneumonia, Guangzhou", licence=CC_BY, may_ship=True, read=kermany.read
    ),
    "jsrt": SourceFacts(title="JSRT with SCR", licence="research only", read=jsrt.read),
    "hannover": SourceFacts(
        title="Hannover COVID-19", licence="CC BY 3.0", may_ship=True, read=hannover.read
    ),
    "vqa_rad": SourceFacts(
        title="VQA-RAD", licence="CC0 1.0", may_ship=True, read=vqa.read_vqa_rad
    ),
    "slake": SourceFacts(title="SLAKE", licence=CC_BY, read=vqa.read_slake),
    "candid": SourceFacts(
        title="CANDID-PTX", licence="on request, by agreement", read=masked.read_with_reports
    ),
    "rad_restruct": SourceFacts(
        title="Rad-ReStruct",
        licence="MIT",
        may_ship=True,
        read=rad_restruct.read,
        needs=(openi.NAME,),
        is_derived=True,
    ),
    "mimic_struct": SourceFacts(
        title="MIMIC-CXR, structured reports",
        licence=CREDENTIALED,
        read=mimic.read_structured,
        needs=(mimic.NAME,),
        is_derived=True,
    ),
    "mimic_diff_vqa": SourceFacts(
        title="MIMIC-Diff-VQA",
        licence=CREDENTIALED,
        read=mimic.read_differences,
        needs=(mimic.NAME,),
        is_derived=True,
    ),
    "ms_cxr": SourceFacts(
        title="MS-CXR",
        licence=CREDENTIALED,
        read=mimic.read_phrases,
        needs=(mimic.NAME,),
        is_derived=True,
    ),
    "radgraph": SourceFacts(
        title="RadGraph", licence=CREDENTIALED, read=texts.read_radgraph, is_derived=True
    ),
    "radnli": SourceFacts(
        title="RadNLI", licence=CREDENTIALED, read=texts.read_radnli, is_derived=True
    ),
    "rexval": SourceFacts(
        title="ReXVal", licence=CREDENTIALED, read=texts.read_rexval, is_derived=True
    ),
    "roco": SourceFacts(
        title="ROCO", licence="of each article, in PubMed Central", read=roco.read, is_derived=True
    ),
    "rsna": SourceFacts(
        title="RSNA Pneumonia Detection",
        licence="challenge rules, non-commercial",
        read=rsna.read,
        is_derived=True,
    ),
    "siim": SourceFacts(
        title="SIIM-ACR Pneumothorax",
        licence="challenge rules, non-commercial",
        read=masked.read,
        is_derived=True,
    ),
    "covid_qu": SourceFacts(
        title="COVID-QU-Ex", licence="CC BY-SA 4.0", read=covid_qu.read, is_derived=True
    ),
}


def facts_of(name: str, folders: Folders) -> SourceFacts:
    """Returns what is known of a source: of a public data set, or of one that was written out
    here.
    """
    if name in SOURCES:
        return SOURCES[name]
    told = written.read_facts(folders[name])
    return SourceFacts(
        title=told.title,
        licence=told.licence,
        may_ship=told.may_ship,
        read=partial(written.read, name=name),
    )
