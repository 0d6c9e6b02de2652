"""`python -m sdqkd` is the command `sdqkd`."""

from sdqkd.cli.main import main

if __name__ == "__main__":
    main()
