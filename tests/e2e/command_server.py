"""Forks ``segadapt`` commands off one process that has imported torch already.

Reads a JSON object per line: ``start`` (arguments, ``output`` and ``errors`` files) answers with
the command's process id, ``wait`` (a process id) with its exit code; ``stop`` ends.
"""

import json
import os
import sys
import traceback


def command(arguments: list[str], output: str, errors: str) -> None:
    """Become the command."""
    for number, path in ((1, output), (2, errors)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.close(0)
    sys.argv = ["segadapt", *arguments]
    code = 0
    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def wait(pid: int) -> int:
    """Exit code as a shell reports it."""
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    import segadapt.runs.pipeline  # noqa: F401
    from segadapt.cli import main

    for line in sys.stdin:
        question = json.loads(line)
        if "stop" in question:
            break
        if "start" in question:
            answer = os.fork()
            if answer == 0:
                command(question["start"], question["output"], question["errors"])
        else:
            answer = wait(question["wait"])
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()
