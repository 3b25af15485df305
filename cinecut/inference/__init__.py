"""Language models: which lie on this disk (models), who runs them (server), and one question at a time (chat).

    models ─ find ─► ModelFiles ─ server, under the GPU lock ─► Chat ─ ask(prompt, schema, picture) ─► checked answer

A model is never needed. Whatever goes wrong with one is a Stop from opening it or a NoAnswer from a question, and the
caller goes on with what it measured.
"""
