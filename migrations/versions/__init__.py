"""One file per revision, forward only: expand first, contract in a later release: old and new run side by side."""
