"""Check a lock file for known vulnerabilities with pip-audit. Exits with 0 for none, 1 for some, 75 without a source.

Without its source pip-audit skips every package and reports success, so the output is checked.
"""

import json
import subprocess
import sys
from pathlib import Path

NOT_RUN = 75


def main(lock: str) -> int:
    command = [str(Path(sys.executable).with_name("pip-audit")), "--disable-pip", "--require-hashes", "-r", lock]
    outcome = subprocess.run([*command, "--progress-spinner", "off", "-f", "json"], capture_output=True, text=True)  # noqa: S603
    if not outcome.stdout.startswith("{"):
        return say(f"not run: {(outcome.stderr.strip().splitlines() or ['pip-audit printed nothing'])[-1]}", NOT_RUN)
    packages = json.loads(outcome.stdout)["dependencies"]
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    if len(skipped) == len(packages):
        return say("not run: the advisory source knows none of the packages, so it isn't the real one", NOT_RUN)
    vulnerabilities = [f"{package['name']}: {each['id']}" for package in packages for each in package.get("vulns", [])]
    vulnerabilities += [f"{name}: couldn't be checked" for name in skipped]
    if vulnerabilities:
        return say("\n".join(vulnerabilities), 1)
    return say(f"{len(packages)} packages, no known vulnerabilities", 0)


def say(text: str, status: int) -> int:
    sys.stdout.write(text + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
