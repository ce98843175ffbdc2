"""Figures of downstream models, and what can be concluded from their differences."""
