"""Exit codes of the command line; scripts rely on them, so a number never changes its meaning."""

from enum import IntEnum


class Exit(IntEnum):
    """How a command ended."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    SIGN_IN_NEEDED = 4
    REFUSED = 5
    NEEDS_ATTENTION = 6
    CONFLICT = 7
    UNAVAILABLE = 69
    TRY_AGAIN = 75
    CONFIGURATION = 78
    INTERRUPTED = 130


MEANING: dict[Exit, str] = {
    Exit.DONE: "Done.",
    Exit.FAILED: "Failed; the message says why.",
    Exit.USAGE: "The command line was not understood.",
    Exit.NOT_FOUND: "The named entry, document, client or file does not exist.",
    Exit.SIGN_IN_NEEDED: "A source or sink no longer accepts our sign-in.",
    Exit.REFUSED: "Refused by validation or policy; the same call will be refused again.",
    Exit.NEEDS_ATTENTION: "Done, but something needs your attention: held entries, refused rows, missing decisions.",
    Exit.CONFLICT: "Something changed meanwhile; look again and decide again.",
    Exit.UNAVAILABLE: "Something we depend on is not there (broker, disk, download).",
    Exit.TRY_AGAIN: "Temporary; the same call may succeed later.",
    Exit.CONFIGURATION: "The settings, directory or contracts cannot be used as they are.",
    Exit.INTERRUPTED: "Interrupted by Ctrl-C; what was acknowledged stands.",
}
