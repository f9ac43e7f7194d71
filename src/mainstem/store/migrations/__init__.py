"""Numbered SQL files, applied once each, in order. One that was released is never edited: the next one mends it."""
