"""Settings of Sphinx for the site of these pages: `make docs` builds it into build/docs."""

import re

project = "Parley"
copyright = "the authors of Parley"  # noqa: A001  Sphinx names it so
version = release = "0.1.0"

extensions = ["myst_parser", "sphinx_copybutton"]
source_suffix = {".md": "markdown"}
root_doc = "index"
nitpicky = True

myst_heading_anchors = 4  # links to headings, as code hosts know them
myst_enable_extensions = ["html_image"]

html_theme = "furo"
html_title = "Parley"
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True, "top_of_page_buttons": []}
copybutton_exclude = ".linenos, .gp, .go"


def add_contents(app, docname, source):  # noqa: ANN001, ANN201, ARG001
    """Make the pages that an index links to its table of contents.

    A `toctree` in the pages themselves would be shown as a block of code where Sphinx does not
    read them.
    """
    if docname.split("/")[-1] != "index":
        return
    links = re.findall(r"^- .*?\]\(([\w./-]+)\.md\)", source[0], re.MULTILINE)
    contents = "\n".join(link for link in links if not link.startswith(".."))
    source[0] += f"\n\n```{{toctree}}\n:hidden:\n\n{contents}\n```\n"


def setup(app):  # noqa: ANN001, ANN201
    """Connect the hook above."""
    app.connect("source-read", add_contents)
