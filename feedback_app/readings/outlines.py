"""Regions as COCO has them: corners one after another, a bounding box, an area."""

from collections.abc import Sequence

from feedback_app.readings.models import Shape


def outline_of(shape: str, points: Sequence[Sequence[float]]) -> dict[str, object]:
    """Returns COCO's ``segmentation``, ``bbox`` and ``area``, in pixels of the stored image."""
    corners = Shape(shape).corners(points)
    left, right = (end(x for x, _ in corners) for end in (min, max))
    top, bottom = (end(y for _, y in corners) for end in (min, max))
    return {
        "segmentation": [[coordinate for corner in corners for coordinate in corner]],
        "bbox": [left, top, right - left, bottom - top],
        "area": area_of(corners),
    }


def area_of(corners: Sequence[Sequence[float]]) -> float:
    """Returns the area of a polygon by the shoelace formula."""
    following = [*corners[1:], corners[0]]
    return abs(sum(x * v - u * y for (x, y), (u, v) in zip(corners, following, strict=True))) / 2
