"""llama.cpp's HTTP server from the package xllamacpp, as a process with the interface of `llama-server`.

python -m cinecut.inference.llama_server --model FILE [--mmproj FILE] [--port N] …
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path


def main() -> None:
    """Run the server until a signal ends the process."""
    options = _options()
    for path in filter(None, (options.model, options.mmproj)):
        if not path.is_file():
            sys.exit(f"error: there is no file {path}")
    import xllamacpp  # imported late, so that --help does not wait for it

    params = xllamacpp.CommonParams()
    params.model.path = str(options.model)
    if options.mmproj:
        params.mmproj.path = str(options.mmproj)
    params.hostnames = [options.host]
    params.port = options.port
    params.n_ctx = options.ctx_size
    params.n_parallel = options.parallel
    params.n_gpu_layers = options.n_gpu_layers
    params.cpuparams.n_threads = options.threads
    params.cache_ram_mib = options.cache_ram
    params.chat_template = options.chat_template
    params.ui = False
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # its threads need no orderly end
    try:
        server = xllamacpp.Server(params)
    except RuntimeError as error:
        sys.exit(f"error: {error}")
    print(f"listening on {server.listening_address}", file=sys.stderr, flush=True)
    signal.pause()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("llama_server", description="llama.cpp's HTTP server, out of xllamacpp.")
    parser.add_argument("--model", "-m", type=Path, required=True, metavar="FILE", help="the weights, a GGUF file")
    parser.add_argument("--mmproj", type=Path, metavar="FILE", help="the projector, for models that see")
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS")
    parser.add_argument("--port", type=int, default=8080, metavar="N")
    parser.add_argument("--ctx-size", type=int, default=4096, metavar="N", help="in tokens, for all slots together")
    parser.add_argument("--parallel", type=int, default=1, metavar="N", help="slots: requests served at a time")
    parser.add_argument("--threads", type=int, default=-1, metavar="N", help="-1: as many as there are cores")
    parser.add_argument("--n-gpu-layers", type=int, default=-1, metavar="N", help="-1: as many as fit")
    parser.add_argument("--cache-ram", type=int, default=0, metavar="MIB", help="for the states of earlier prompts")
    parser.add_argument("--chat-template", default="", metavar="JINJA", help="in place of the model's own")
    return parser.parse_args()


if __name__ == "__main__":
    main()
