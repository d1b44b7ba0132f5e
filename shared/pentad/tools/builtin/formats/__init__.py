"""Convert text between formats: CSV, JSON, JSON Lines, YAML, TOML, XML, Markdown and HTML, within bounds."""
