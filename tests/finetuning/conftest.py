"""Candidates without a model, and studies that somebody has read."""

from tests.finetuning.read_studies import base, make_batch, make_study, read

__all__ = ["base", "make_batch", "make_study", "read"]
