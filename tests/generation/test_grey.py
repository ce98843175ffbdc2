"""Any picture as 8-bit grey."""

import numpy as np
import PIL.Image

from generation.grey import to_grey


def test_grey_in_colour_keeps_its_values_and_colour_becomes_its_luma() -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    same = PIL.Image.fromarray(np.stack([grey] * 3, axis=-1))
    assert (np.asarray(to_grey(same)) == grey).all()
    red = PIL.Image.new("RGBA", (1, 1), (200, 0, 0, 10))
    assert to_grey(red).getpixel((0, 0)) == round(0.299 * 200)


def test_more_bits_are_brought_to_eight_by_the_brightest_pixel() -> None:
    wide = PIL.Image.fromarray(np.array([[0, 1_000, 4_000]], dtype=np.uint16))
    assert np.asarray(to_grey(wide)).tolist() == [[0, 63, 255]]
