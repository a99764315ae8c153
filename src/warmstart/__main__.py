"""`python -m warmstart` is the same as `warmstart`."""

import sys

from warmstart.cli import main

sys.exit(main())
