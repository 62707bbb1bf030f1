"""`python -m telephony` is `offhook`."""

from telephony.cli import main

if __name__ == "__main__":
    main()
