"""Numbered SQL files, each applied once, in order.

The statements of a released file never change; a later file corrects them.
"""
