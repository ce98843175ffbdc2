"""Do the bundled model's images make downstream models better on real test patients?

``python -m benchmarks.augmentation DATA WORK`` makes the synthetic images, trains every cell
and writes the figures; it goes on where it was cut off. ``DATA`` has the folders ``nih`` and
``covid_lungs``.
"""
