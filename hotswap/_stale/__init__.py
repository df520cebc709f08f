"""What still runs or holds old code: frames, tasks, generators, values and objects that a swap left as they were."""
