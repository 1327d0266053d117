"""The list of settings, made from the configuration's own fields: for `--help` and the README."""

from __future__ import annotations

import sys

from study.settings.reference import settings_markdown

if __name__ == "__main__":
    sys.stdout.write(settings_markdown())
