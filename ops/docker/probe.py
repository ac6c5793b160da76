"""Ask one address whether the service is well: ends with 0 on any answer of the 200s, with 1 on everything else."""

import sys
from http.client import HTTPException
from urllib.request import urlopen

TIMEOUT_SECONDS = 4


def is_well(address: str) -> bool:
    """Whether the address answers, and well; urllib raises on the 400s and 500s."""
    try:
        with urlopen(address, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310  # the address is the image's own
            status: int = answer.status
            return 200 <= status < 300
    except (OSError, HTTPException):
        return False


if __name__ == "__main__":
    sys.exit(0 if is_well(sys.argv[1]) else 1)
