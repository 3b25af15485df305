"""A fuzzer of cinecut's commands: whatever is wrong with what they are given ends in a clear message or a right result.

    python -m tools.fuzz --minutes 20 --seed 1

Each case is a folder of files and a few commands on them. Afterwards these hold, or the case is kept in `out/fuzz`:
status 0 or 1; no traceback; done within a minute; at most 2 GB of memory; nothing left or changed by a command that
failed, no process, no half-written file; what is replaced keeps its mode and its link, what is read-only its content;
nothing read or written that the case does not name; no control characters printed; messages of a few lines.
"""
