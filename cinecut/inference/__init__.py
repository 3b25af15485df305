"""Language models: those on this disk (models), the server that runs them (server), and single questions (chat).

    models ─ find ─► ModelFiles ─ server, under the GPU lock ─► Chat ─ ask(prompt, schema, picture) ─► checked answer

No model is required. Every failure is a Stop when a model is opened, or a NoAnswer to a question, and the caller then
uses what it measured.
"""
