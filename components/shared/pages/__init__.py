"""HTML and Markdown pages: charts, tables, cards and galleries of images."""
