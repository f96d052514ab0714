"""Vendors' attestations of trusted execution environments: read, and checked up to the vendor's root."""
