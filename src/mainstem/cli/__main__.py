"""`python -m mainstem.cli`, for a shell that does not have the console script on PATH."""

from mainstem.cli.main import main

main()
