"""One turn: ask the model, run the tools, ask again.

Pure of web and SQL: a turn sees a model, a toolbox and an emitter (luxx.core.ports) and nothing else. `fold` and
`transcript` and `resume` are plain functions and state; `loop` is the only module that awaits.
"""
