"""`python -m billstream` is the same program as `billstream`."""

from billstream.cli import main

if __name__ == "__main__":
    main()
