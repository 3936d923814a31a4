"""`python -m luxx` is the command line."""

from luxx.cli import main

if __name__ == "__main__":
    main()
