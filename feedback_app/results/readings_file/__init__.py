"""The readings of studies as files: a table a kind of answer, with a dictionary of its columns.

Rows stream from the database, so a million of them need no more memory than a thousand.
"""
