"""Plots of a study's figures, each as SVG and as a table of its numbers."""

from feedback_app.readings.results.plots.catalogue import Plot, plots_of

__all__ = ["Plot", "plots_of"]
