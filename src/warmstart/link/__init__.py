"""A robot and its learner in two processes: what they say, and the robot's side."""
