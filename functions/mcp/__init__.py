"""The function of each remote server of the Model Context Protocol."""
