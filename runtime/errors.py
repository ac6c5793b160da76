"""The errors of the machinery, named by what happens next; same shape as the tree in `schemas`, not imported here.

MachineryError
    Misconfigured   the settings or this machine have to be changed first (exit 78)
    Unavailable     something we depend on is not there; trying again may help (exit 69)
    InUse           somebody else holds it right now (exit 7)
    FileDiffers     a file of that name exists and says something else (exit 7)
    UnsafeName      a name from outside may not become a file name (exit 5)
"""


class MachineryError(Exception):
    """What went wrong (`message`) and how to mend it (`fix`), for the user; `detail` is for the engineer."""

    exit_code = 1

    def __init__(self, code: str, message: str, fix: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fix = fix
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]" + (f" {self.fix}" if self.fix else "")


class Misconfigured(MachineryError):
    """The settings or the machine do not allow it; waiting will not help."""

    exit_code = 78


class Unavailable(MachineryError):
    """A network, a disk or a program we need does not answer; the same step may succeed later."""

    exit_code = 69


class InUse(MachineryError):
    """Another program holds the folder or the port."""

    exit_code = 7


class FileDiffers(MachineryError):
    """The file exists with other content; it was left as it is."""

    exit_code = 7


class UnsafeName(MachineryError):
    """The text cannot be used as a file name below its folder."""

    exit_code = 5
