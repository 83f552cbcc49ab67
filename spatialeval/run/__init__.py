"""Running: ask every item once, keep every answer, resume where it ended. `execute.execute` is the way in."""
