"""HTTP where there is no function around: on a developer's machine."""
