"""Verbs over images, cohorts, model versions and batches."""
