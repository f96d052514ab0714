"""Jobs in OCI containers, through the command line of Docker or Podman."""
