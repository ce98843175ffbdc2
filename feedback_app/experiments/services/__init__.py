"""Designing, starting, following and comparing experiments."""
