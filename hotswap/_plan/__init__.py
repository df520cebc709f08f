"""From saved files to plans: what changed, which modules belong together, which statements may have to run."""
