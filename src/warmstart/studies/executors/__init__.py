"""Where units of work are done: this machine, a Ray cluster, Slurm."""
