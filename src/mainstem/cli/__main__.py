"""`python -m mainstem.cli`, where the console script is not on PATH."""

from mainstem.cli.main import main

main()
