"""The report of a history as one HTML page: charts, tables and texts, in a file that loads nothing.

`facts` asks the history, `sections` lays the answers out, and `page` puts the file together.
"""
