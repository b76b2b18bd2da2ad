"""The line: how one request walks from the gate to a provider and back. Read ``exchange`` first."""
