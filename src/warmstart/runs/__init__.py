"""The run folder: metric lines, checkpoints, replay segments."""
