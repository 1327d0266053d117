"""What all commands share: exit codes, options, signals. May import errors alone, so that `--help` is quick."""
