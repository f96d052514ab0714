"""Only Brownie, which has an environment of its own, runs this folder: `scripts/brownie test`."""

import importlib.util

collect_ignore_glob = [] if importlib.util.find_spec("brownie") else ["test_*.py"]
