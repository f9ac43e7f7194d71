"""Importers, which turn other people's tables into events. Each is a module: rows in, events out.

`tables` reads the files. An importer's `events_of` is a generator over rows, so no importer holds
a whole file in memory.
"""
