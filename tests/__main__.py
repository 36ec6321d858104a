"""`python3 -m tests`: from a fresh clone to all checks. What follows goes to pytest."""

import sys

from agent.environment import become, prepare

if __name__ == "__main__":
    prepare("requirements-dev.txt")
    become("-m", "pytest", *sys.argv[1:])
