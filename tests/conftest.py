"""What all tests share."""

import os

# Tests start our processes hundreds of times. Where the environment forbids Python to keep what it
# compiled, a tenth of all their work would be to compile the same files once more.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
