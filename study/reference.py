"""`python -m study.reference`: print the page of settings, made from the configuration's own fields."""

from __future__ import annotations

import sys

from study.settings.reference import settings_markdown

if __name__ == "__main__":
    sys.stdout.write(settings_markdown())
