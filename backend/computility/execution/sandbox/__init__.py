"""The sandbox of commands: bubblewrap, a seccomp filter, resource limits and, where there are any, control groups."""
