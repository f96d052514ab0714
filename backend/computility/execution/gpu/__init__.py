"""GPUs of this machine: which there are, how they are, what a job on them uses, and who holds them."""
