"""Importers: tables that others keep become events. Each is one file: rows in, events out.

`tables` reads the files; an importer's `events_of` is a generator over rows, so none needs a whole file in memory.
"""
