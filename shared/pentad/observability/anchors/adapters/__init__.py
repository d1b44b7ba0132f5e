"""Where ends of chains are read and anchors are kept."""
