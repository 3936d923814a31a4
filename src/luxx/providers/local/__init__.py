"""The embedded model: a tiny one that answers without a key and without a network, for trying Luxx out.

model (the provider) asks engine (the owner of the child process) where child (the program that runs llama.cpp) answers, and
talks to it in the OpenAI format; needs says what the machine lacks, model_file finds the file and fetches it.
"""
