"""What every view of the REST API stands on: rows, pages, filters, keys, errors' schema.

A room's ``api.py`` says which rows it has, how they are written out and what may be asked of
them; everything else is the same for all and stands here.
"""
