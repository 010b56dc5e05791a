"""How the site of the documentation is built (`bash tests/site`). Nothing in it is fetched."""

from importlib.metadata import version as version_of

project = "pytest-rollout"
version = release = version_of("pytest-rollout")
extensions = ["myst_parser", "sphinx_copybutton"]
exclude_patterns = ["_*"]
# A link to a heading that is not there is a warning, and warnings fail the build.
myst_heading_anchors = 4
nitpicky = True
smartquotes = False  # they would make one dash of the two before an option

html_theme = "furo"
html_title = project
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "_static/icon.svg"
pygments_style = "friendly"
pygments_dark_style = "github-dark"
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True
