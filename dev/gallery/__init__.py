"""The gallery: screens of the page, made by a command from a real server with a model that plays parts."""
