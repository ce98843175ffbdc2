"""Adjudication: sending cases, what is shown beside a final reading, and what it stands for."""
