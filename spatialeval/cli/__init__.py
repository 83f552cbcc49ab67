"""The command line: a thin layer that turns options into calls and errors into one clear message."""
