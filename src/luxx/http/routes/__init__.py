"""The routes, one module for each noun: they read the request, call turns or the store, and render the answer."""
