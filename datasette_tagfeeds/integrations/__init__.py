"""Tags in Datasette's own pages: links, cells, filters, facets. Each tells an actor only what they may see, and never keeps a page waiting."""
