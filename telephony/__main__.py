"""Lets `python -m telephony` run the command line, as `offhook` does."""

from telephony.cli import main

if __name__ == "__main__":
    main()
