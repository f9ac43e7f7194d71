"""The whole stack as processes on this machine, for people without Docker and for the tests: broker, history, programs."""
