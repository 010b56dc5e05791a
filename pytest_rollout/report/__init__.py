"""From a decision to text, markdown, HTML and files; pure but for :mod:`files`."""
