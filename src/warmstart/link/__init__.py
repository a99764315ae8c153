"""A robot and its learner in two processes: what they say, their connection, and the robot."""
