"""Jobs in OCI images on a Kubernetes cluster."""
