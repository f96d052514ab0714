"""Jobs on the machines of a Slurm cluster: Slurm places, the sandbox on the machine runs."""
