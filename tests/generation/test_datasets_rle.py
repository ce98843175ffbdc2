"""Three run-length codes: by hand, there and back, and against decoders written otherwise."""

import csv
from pathlib import Path

import numpy as np
import pytest

from generation.datasets.rle import (
    CODECS,
    Codec,
    decode,
    encode_chexmask,
    encode_coco,
    encode_siim,
    unite,
)
from generation.errors import RemediableError

ENCODERS = {"siim": encode_siim, "chexmask": encode_chexmask, "coco": encode_coco}
#  . # .
#  . # #
SMALL = np.array([[0, 1, 0], [0, 1, 1]], dtype=bool)
BY_HAND: dict[Codec, str] = {"siim": "2 2 1 1", "chexmask": "2 1 5 2", "coco": "2 2 1 1"}


@pytest.mark.parametrize("codec", CODECS)
def test_a_mask_is_encoded_and_decoded_as_by_hand(codec: Codec) -> None:
    assert ENCODERS[codec](SMALL) == BY_HAND[codec]
    assert (decode(codec, BY_HAND[codec], height=2, width=3) == SMALL).all()


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("share", [0.0, 0.03, 0.5, 1.0])
def test_every_mask_comes_back(codec: Codec, share: float) -> None:
    mask = np.random.default_rng(7).random((23, 41)) < share
    text = ENCODERS[codec](mask)
    assert (decode(codec, text, height=23, width=41) == mask).all()


def test_the_codes_start_runs_and_count_pixels_differently() -> None:
    corner = np.zeros((3, 4), dtype=bool)
    corner[0, 0] = corner[1, 0] = True
    assert encode_siim(corner) == "0 2"
    assert encode_chexmask(corner) == "1 1 5 1"
    assert encode_coco(corner) == "0 2 10"


def test_no_mask_is_minus_one_in_siims_code() -> None:
    assert encode_siim(np.zeros((4, 4), dtype=bool)) == "-1"
    assert not decode("siim", "-1", height=4, width=4).any()


def test_parts_of_a_mask_are_united() -> None:
    first, second = np.zeros((2, 4, 4), dtype=bool)
    first[:2], second[1:3] = True, True
    texts = [encode_siim(first), encode_siim(second)]
    assert (unite("siim", texts, height=4, width=4) == (first | second)).all()


@pytest.mark.parametrize("text", ["[2, 2, 1, 1]", "2 2 1 1"])
def test_coco_counts_may_be_a_json_list(text: str) -> None:
    assert (decode("coco", text, height=2, width=3) == SMALL).all()


@pytest.mark.parametrize(
    ("codec", "text", "reason"),
    [
        ("siim", "1 2 3", "has an odd number of numbers"),
        ("siim", "1 2 3 x", "is not made of whole numbers"),
        ("siim", "1 -2", "has a negative number"),
        ("siim", "5 2", "ends at pixel 7 of 6"),
        ("chexmask", "0 2", "starts a run before the first pixel"),
        ("chexmask", "6 2", "ends at pixel 7 of 6"),
        ("coco", "2 2 1", "counts 5 pixels, the mask has 6"),
    ],
)
def test_a_text_that_is_no_mask_is_refused(codec: Codec, text: str, reason: str) -> None:
    with pytest.raises(RemediableError, match=reason):
        decode(codec, text, height=2, width=3)


def area_otherwise(text: str) -> int:
    """Pixels of a relative code: every second number, as far as runs do not overlap."""
    return 0 if text == "-1" else sum(int(number) for number in text.split()[1::2])


def paint_otherwise(text: str) -> np.ndarray:
    """What is between an odd and an even number of ends of runs, counted over all pixels."""
    ends = np.cumsum(np.array(text.split(), dtype=np.int64))
    passed = np.searchsorted(ends, np.arange(1024 * 1024), side="right")
    return np.rot90(np.fliplr((passed % 2 == 1).reshape(1024, 1024)))


def test_all_masks_of_siim_have_the_areas_that_another_decoder_finds(real_data: Path) -> None:
    with (real_data / "siim" / "train-rle.csv").open() as file:
        texts = [row[1].strip() for row in list(csv.reader(file))[1:]]
    assert len(texts) == 12_954
    masks = [text for text in texts if text != "-1"]
    assert len(masks) == 12_954 - texts.count("-1") > 3_000
    for number, text in enumerate(masks):
        mask = decode("siim", text, height=1024, width=1024)
        assert np.count_nonzero(mask) == area_otherwise(text)
        if number % 100 == 0:
            assert (mask == paint_otherwise(text)).all()
