"""Print the project's dependencies and its test extras without upper bounds, one a line, for `make latest`."""

import re
import sys
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
extras = (project["optional-dependencies"][name] for name in sys.argv[1:])
for requirement in [*project["dependencies"], *(one for extra in extras for one in extra)]:
    print(re.sub(r",?<=?[\w.]+", "", requirement))
