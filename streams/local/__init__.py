"""Runs the whole stack as processes on this machine: broker, history and programs.

It is meant for people without Docker, and for the tests.
"""
