"""Run-length codes: every mask is read back, and every other text is refused in words."""

from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.datasets.rle import (
    CODECS,
    Codec,
    decode,
    encode_chexmask,
    encode_coco,
    encode_siim,
)
from generation.errors import RemediableError
from tests.cases.examples import EXAMPLES

ENCODERS: dict[Codec, Callable[[np.ndarray], str]] = {
    "siim": encode_siim,
    "chexmask": encode_chexmask,
    "coco": encode_coco,
}

masks = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
    lambda shape: st.lists(
        st.booleans(), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]
    ).map(lambda pixels: np.array(pixels).reshape(shape))
)
texts = st.text(st.sampled_from("0123456789 -[],.ex\n"), max_size=40) | st.lists(
    st.integers(-5, 2**70), max_size=8
).map(lambda numbers: " ".join(map(str, numbers)))


@settings(max_examples=EXAMPLES, derandomize=True, deadline=None)
@given(mask=masks, codec=st.sampled_from(CODECS))
def test_a_mask_is_read_back_from_each_code(mask: np.ndarray, codec: Codec) -> None:
    height, width = mask.shape
    assert (decode(codec, ENCODERS[codec](mask), height=height, width=width) == mask).all()


@settings(max_examples=EXAMPLES, derandomize=True, deadline=None)
@given(text=texts, codec=st.sampled_from(CODECS), side=st.integers(1, 40))
def test_any_text_is_a_mask_of_that_size_or_refused(text: str, codec: Codec, side: int) -> None:
    with suppress(RemediableError):
        mask = decode(codec, text, height=side, width=side)
        assert (mask.shape, mask.dtype) == ((side, side), bool)


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        ("siim", "9223372036854775807 1"),
        ("siim", f"{2**63} 1"),
        ("siim", "1 9223372036854775807 1 9223372036854775807"),
        ("chexmask", "9223372036854775807 9223372036854775807"),
        ("coco", "9223372036854775807 1 9223372036854775807 17"),
        ("coco", "16"),
    ],
)
def test_numbers_that_overflow_are_refused(codec: Codec, text: str) -> None:
    if text == "16":
        assert not decode(codec, text, height=4, width=4).any()
        return
    with pytest.raises(RemediableError):
        decode(codec, text, height=4, width=4)
