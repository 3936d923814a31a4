"""Tests of the HTTP surface, over ASGI in process and, where sockets matter, over uvicorn."""
