"""What an experiment found: figures, plots, and pages to look at and to keep."""
