"""Fuzz what reads strangers' bytes: `python -m tests.fuzz [TARGET...] [--seconds N]`, from the checkout.

With atheris (libFuzzer, guided by which lines are reached) where it is installed, else with blind mutations of
the corpus, which find much less; the last line says which it was and how many inputs ran. An input that breaks
something is left in `run/fuzz/TARGET/`: mend the fault, then put the input into `tests/fuzz/corpus/TARGET/` under
a name that says what it is.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import random
import re
import subprocess
import sys
import time
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
TARGETS = ("framing", "messages", "agent")
MAX_BYTES = 4096
_GUIDED = "--guided"  # how this program starts itself, since libFuzzer ends the process


def main() -> int:
    if sys.argv[1:2] == [_GUIDED]:
        return guided(sys.argv[2], sys.argv[3:])
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz what reads strangers' bytes.")
    parser.add_argument("targets", nargs="*", default=[], metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default: %(default)s)")
    parser.add_argument("--blind", action="store_true", help="without atheris")
    given = parser.parse_args()
    if unknown := set(given.targets) - set(TARGETS):
        parser.error(f"there is no target {', '.join(sorted(unknown))}: choose {', '.join(TARGETS)}")
    run = blind if given.blind or importlib.util.find_spec("atheris") is None else start_guided
    return max(run(target, given.seconds) for target in given.targets or TARGETS)


def found_folder(target: str) -> Path:
    folder = Path("run/fuzz") / target
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def start_guided(target: str, seconds: int) -> int:
    """Run libFuzzer in a process of its own, and say what came of it."""
    folder = found_folder(target)
    options = [
        f"-max_total_time={seconds}", f"-max_len={MAX_BYTES}", "-timeout=20", "-rss_limit_mb=2048", "-verbosity=1",
        f"-artifact_prefix={folder}/broken-", f"-dict={CORPUS / 'words.dict'}",
    ]  # fmt: skip
    reached = folder / "reached"
    reached.mkdir(exist_ok=True)
    places = [str(reached), str(CORPUS / target)]
    command = [sys.executable, "-m", "tests.fuzz", _GUIDED, target, *options, *places]
    done = subprocess.run(command, check=False, capture_output=True, text=True, errors="replace")
    runs = re.findall(r"^(?:Done (\d+) runs|#(\d+)\s)", done.stderr, re.MULTILINE)
    inputs = int("".join(runs[-1])) if runs else 0
    print(f"{target}: {inputs} inputs in {seconds} s, guided by atheris: {_verdict(done.returncode)}", flush=True)
    if done.returncode:
        told = [line for line in done.stderr.splitlines() if not line.startswith(("INFO", "NEW", "REDUCE"))]
        print("\n".join(told[-60:]), file=sys.stderr)
    return int(done.returncode != 0)


def guided(target: str, options: list[str]) -> int:
    """Give the process to libFuzzer."""
    import atheris

    with atheris.instrument_imports(include=["sdqkd.netconf", "sdqkd.agent", "sdqkd.datastore", "sdqkd.schema"]):
        from tests.fuzz import targets
    atheris.Setup([sys.argv[0], *options], targets.TARGETS[target])
    atheris.Fuzz()
    return 0


def blind(target: str, seconds: int) -> int:
    """Mutate the corpus without knowing what is reached."""
    from tests.fuzz import targets

    seed = int.from_bytes(os.urandom(4))
    chance, inputs = random.Random(seed), 0
    seeds = [file.read_bytes() for file in sorted((CORPUS / target).iterdir())]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        data = mutated(chance, seeds)
        inputs += 1
        try:
            targets.TARGETS[target](data)
        except Exception as error:
            file = found_folder(target) / f"broken-{seed}-{inputs}"
            file.write_bytes(data)
            print(f"{target}: {inputs} inputs, without atheris: {error!r} by {file}", flush=True)
            return 1
    print(f"{target}: {inputs} inputs in {seconds} s, without atheris: {_verdict(0)}", flush=True)
    return 0


def mutated(chance: random.Random, seeds: list[bytes]) -> bytes:
    """Change one of the seeds in up to eight places."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 8)):
        at = chance.randint(0, len(data))
        other = chance.choice(seeds)
        begin = chance.randint(0, len(other))
        piece = other[begin : begin + chance.randint(0, 40)]
        match chance.randrange(5):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del data[at : at + chance.randint(1, 20)]
            case 2:
                data[at:at] = piece
            case 3:
                data[at : at + len(piece)] = piece
            case _:
                data[at:at] = data[at : at + 30]
    return bytes(data[:MAX_BYTES])


def _verdict(code: int) -> str:
    return "something broke" if code else "nothing broke"


if __name__ == "__main__":
    sys.exit(main())
