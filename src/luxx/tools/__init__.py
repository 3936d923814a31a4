"""Tools: what a model can call. The box that runs them, the schema of a function, and the tools that come with Luxx.

Here belongs whatever turns a Python function into a tool and a model's call into an outcome. Not here: when a tool is
called, and what is done with the outcome (engine), who may call it (turns), how it is shown (http).
"""
