"""The broker's parent process: ends the broker when Billstream ends, however that happens.

Started as a plain script with the standard library only. Billstream holds the writing end of a pipe (the lifeline).
When it closes the pipe, or dies by kill -9, the kernel ends the pipe and the keeper stops the broker: SIGTERM first,
SIGKILL after the grace period. Unlike a parent-death signal this works on every Unix and from any thread.
The keeper leads a session of its own, so Ctrl-C in the terminal reaches Billstream, not the broker behind its back.
"""

import os
import subprocess
import sys
import threading


def keep(lifeline: int, grace_seconds: float, command: list[str]) -> int:
    """Run the command until it ends or the lifeline does; returns its exit code, 128 + n when signal n ended it."""
    os.set_inheritable(lifeline, False)  # noqa: FBT003 - the standard library's own signature
    child = subprocess.Popen(command, close_fds=False)
    threading.Thread(target=_follow, args=(lifeline, grace_seconds, child), daemon=True).start()
    code = child.wait()
    return code if code >= 0 else 128 - code


def _follow(lifeline: int, grace_seconds: float, child: "subprocess.Popen[bytes]") -> None:
    os.read(lifeline, 1)  # nobody ever writes: it returns when the last writer is gone
    child.terminate()
    try:
        child.wait(grace_seconds)
    except subprocess.TimeoutExpired:
        child.kill()


if __name__ == "__main__":
    sys.exit(keep(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
