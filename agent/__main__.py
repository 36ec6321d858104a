"""`python3 -m agent`: from a fresh clone to the page. What follows goes to `streamlit run app.py`."""

import sys

from agent.environment import become, prepare

if __name__ == "__main__":
    prepare("requirements.txt")
    become("-m", "streamlit", "run", "app.py", *sys.argv[1:])
