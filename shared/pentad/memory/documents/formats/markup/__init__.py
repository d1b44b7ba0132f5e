"""Documents that are written as marked-up text: Markdown, reStructuredText, AsciiDoc."""
